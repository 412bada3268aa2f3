"""From a point of a graph, or a row of a table, to the task's page, its log lines and its trace.

Grafana fills in the labels of the point or the fields of the row. Services that are off have no link.
"""

import json
from collections.abc import Callable
from urllib.parse import quote

from grafana_foundation_sdk.builders.dashboard import DashboardLink

from configs.dashboards import uids
from configs.links import Links

Value = Callable[[str], str]
"""How the value of a label is written in an address."""


def of_point(label: str) -> str:
    """The value of a label of a graph's series."""
    return f"${{__field.labels.{label}:percentencode}}"


def of_row(label: str) -> str:
    """The value of a column of a table's row."""
    return f"${{__data.fields.{label}:percentencode}}"


def dag(links: Links, value: Value = of_point) -> list[DashboardLink]:
    """To the DAG in Airflow, to its dashboard and to its log lines."""
    chosen = f"var-dag_id={value('dag_id')}"
    return _made(
        ("DAG in Airflow", f"{links.airflow}/dags/{value('dag_id')}"),
        ("Dashboard of the DAG", f"/d/{uids.AIRFLOW}?{chosen}&${{__url_time_range}}"),
        *_task_lines(links, "Log lines", f"{chosen}&${{__url_time_range}}"),
    )


def task(links: Links, value: Value = of_point) -> list[DashboardLink]:
    """To the task in Airflow, to its log lines here and to its traces."""
    chosen = f"var-dag_id={value('dag_id')}&var-task_id={value('task_id')}"
    page = f"{links.airflow}/dags/{value('dag_id')}/tasks/{value('task_id')}"
    return _made(
        ("Task in Airflow", page),
        ("Runs of the DAG", f"{links.airflow}/dags/{value('dag_id')}/runs"),
        *_task_lines(links, "Log lines", f"{chosen}&${{__url_time_range}}"),
        *_traces(links, {"airflow.dag_id": value("dag_id"), "airflow.task_id": value("task_id")}),
    )


def run(links: Links, value: Value = of_row) -> list[DashboardLink]:
    """To one task of one run: its page with its log in Airflow, the run's log lines, the run's trace."""
    run_page = f"{links.airflow}/dags/{value('dag_id')}/runs/{value('run_id')}"
    query = f"airflow.run_id:%22{value('run_id')}%22"
    return _made(
        ("Run in Airflow", run_page),
        ("Log of the task in Airflow", f"{run_page}/tasks/{value('task_id')}"),
        *_task_lines(links, "Log lines of the run", f"var-search={query}&from=now-30d&to=now"),
        *_traces(links, {"airflow.dag_run.run_id": value("run_id")}),
    )


def service(links: Links, value: Value = of_point) -> list[DashboardLink]:
    """To the log lines of a service's container."""
    if not (links.elasticsearch and links.container_logs):
        return []
    return _made(("Log lines", f"/d/{uids.LOGS}?var-service={value('service')}&${{__url_time_range}}"))


def _task_lines(links: Links, title: str, chosen: str) -> list[tuple[str, str]]:
    shown = links.task_logs and links.elasticsearch
    return [(title, f"/d/{uids.LOGS}?{chosen}")] if shown else []


def _traces(links: Links, tags: dict[str, str]) -> list[tuple[str, str]]:
    if not links.jaeger:
        return []
    # In quotes, since Jaeger takes a value for a regular expression otherwise, and run ids hold a plus.
    quoted = {tag: f'"{text}"' for tag, text in tags.items()}
    # Grafana encodes what it fills in itself.
    encoded = quote(json.dumps(quoted, separators=(",", ":")), safe="${}:_.")
    return [("Traces", f"{links.jaeger}/search?service=airflow&lookback=60d&tags={encoded}")]


def _made(*titled: tuple[str, str]) -> list[DashboardLink]:
    return [DashboardLink(title).url(url).target_blank(True) for title, url in titled]
