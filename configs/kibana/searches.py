"""Kibana's saved searches: what people look for in the logs."""

import json
from collections.abc import Sequence
from typing import Any

from configs.data_views import CONTAINER_LOGS, DEAD_LETTERS, TASK_LOGS
from configs.log_exporter import CANARY_DAG

FAILED_TASKS = "airflow-failed-tasks"
RUN_STORY = "airflow-run-story"
SERVICE_ERRORS = "container-logs-errors"

_SOURCE = "kibanaSavedObjectMeta.searchSourceJSON"
_TASK = ("airflow.dag_id", "airflow.run_id", "airflow.task_id", "airflow.map_index", "airflow.try_number")
# What Airflow's task runner and its supervisor write last when a task fails, whatever it was that failed.
_FAILURES = '("Task failed with exception" or "Task exited" or "Process terminated by signal")'
_NEWEST = (("@timestamp", "desc"),)
_IN_ORDER = (("@timestamp", "asc"), ("offset", "asc"))


def searches() -> list[dict[str, Any]]:
    """The saved searches, with ids that stay the same so that an import replaces them."""
    levels = "log.level: (error or critical)"
    return [
        _search(
            "airflow-task-logs-all",
            "Airflow task logs",
            TASK_LOGS,
            query=f'not airflow.dag_id: "{CANARY_DAG}"',
            columns=("log.level", *_TASK, "message"),
        ),
        _search(
            "airflow-task-logs-errors",
            "Airflow task errors",
            TASK_LOGS,
            query=levels,
            columns=("log.level", *_TASK, "message", "error.type", "error.message"),
        ),
        _search(
            FAILED_TASKS,
            "Failed tasks",
            TASK_LOGS,
            query=f"{levels} and message: {_FAILURES}",
            columns=(*_TASK, "error.type", "error.message"),
            description="One line for each try of a task that failed.",
        ),
        _search(
            RUN_STORY,
            "One run's story",
            TASK_LOGS,
            filters=("airflow.dag_id", "airflow.run_id"),
            columns=("airflow.task_id", "airflow.map_index", "airflow.try_number", "log.level", "message"),
            sort=_IN_ORDER,
            description="All tasks' lines in order of time. Give the two filters a DAG and a run.",
        ),
        _search(
            SERVICE_ERRORS,
            "Errors by service",
            CONTAINER_LOGS,
            query=levels,
            columns=("service.name", "log.level", "message", "error.type"),
            sort=(("service.name", "asc"), *_NEWEST),
        ),
        _search(
            "dead-letters-all",
            "Refused documents",
            DEAD_LETTERS,
            columns=("event.dataset", "log.file.path", "service.name", "error.type", "error.message"),
        ),
    ]


def _search(
    identifier: str,
    title: str,
    data_view: str,
    *,
    columns: Sequence[str],
    query: str = "",
    filters: Sequence[str] = (),
    sort: Sequence[tuple[str, str]] = _NEWEST,
    description: str = "",
) -> dict[str, Any]:
    index = f"{_SOURCE}.index"
    names = [f"{_SOURCE}.filter[{number}].meta.index" for number in range(len(filters))]
    source = {
        "query": {"query": query, "language": "kuery"},
        "filter": [_is_there(field, name) for field, name in zip(filters, names, strict=True)],
        "indexRefName": index,
    }
    return {
        "id": identifier,
        "type": "search",
        "attributes": {
            "title": title,
            "description": description,
            "columns": list(columns),
            "sort": [list(one) for one in sort],
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source, sort_keys=True)},
        },
        "references": [{"id": data_view, "name": name, "type": "index-pattern"} for name in (index, *names)],
    }


def _is_there(field: str, reference: str) -> dict[str, Any]:
    """A filter that asks for any value of a field, for a person to give it one."""
    meta = {
        "alias": None,
        "disabled": False,
        "negate": False,
        "type": "exists",
        "key": field,
        "value": "exists",
        "indexRefName": reference,
    }
    return {"meta": meta, "query": {"exists": {"field": field}}, "$state": {"store": "appState"}}
