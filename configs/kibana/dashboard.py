"""Kibana's dashboard: what tasks and services log, chosen by DAG, run, task and service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from configs.data_views import CONTAINER_LOGS, DEAD_LETTERS, TASK_LOGS
from configs.kibana.searches import FAILED_TASKS, RUN_STORY, SERVICE_ERRORS

DASHBOARD = "pipelines-logs"

_LAYER = "lines"
_ERRORS = "log.level: (error or critical)"
_CHOICES = {
    "dag": ("DAG", "airflow.dag_id", TASK_LOGS),
    "run": ("Run", "airflow.run_id", TASK_LOGS),
    "task": ("Task", "airflow.task_id", TASK_LOGS),
    "service": ("Service", "service.name", CONTAINER_LOGS),
}
_TIME = {
    "label": "@timestamp",
    "dataType": "date",
    "operationType": "date_histogram",
    "sourceField": "@timestamp",
    "isBucketed": True,
    "scale": "interval",
    "params": {"interval": "auto", "includeEmptyRows": True, "dropPartials": False},
}


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """A panel: what Kibana calls it, where it stands on 48 columns, and what it refers to by which name."""

    identifier: str
    kind: str
    title: str
    place: tuple[int, int, int, int]
    content: Mapping[str, Any]
    references: Mapping[str, tuple[str, str]]

    def json(self) -> dict[str, Any]:
        """The panel as the dashboard's list has it."""
        x, y, width, height = self.place
        return {
            "type": self.kind,
            "title": self.title,
            "panelIndex": self.identifier,
            "gridData": {"x": x, "y": y, "w": width, "h": height, "i": self.identifier},
            **self.content,
        }


def dashboard() -> dict[str, Any]:
    """The dashboard as a saved object."""
    panels = [
        _over_time("task-lines", "Lines of tasks, by level", TASK_LOGS, (0, 0, 24, 10)),
        _over_time("service-lines", "Lines of services, by level", CONTAINER_LOGS, (24, 0, 24, 10)),
        _table("task-errors", "Errors by task", TASK_LOGS, "airflow.task_id", _ERRORS, (0, 10, 16, 10)),
        _table("errors", "Errors by service", CONTAINER_LOGS, "service.name", _ERRORS, (16, 10, 16, 10)),
        _table("refused", "Refused documents", DEAD_LETTERS, "error.type", "", (32, 10, 16, 10)),
        _saved("failed", "Failed tasks", FAILED_TASKS, (0, 20, 48, 12)),
        _saved("story", "One run's story: choose DAG and run", RUN_STORY, (0, 32, 48, 20)),
        _saved("services", "What services complain of", SERVICE_ERRORS, (0, 52, 48, 14)),
    ]
    references = [
        {"id": identifier, "name": f"{panel.identifier}:{name}", "type": kind}
        for panel in panels
        for name, (kind, identifier) in panel.references.items()
    ]
    choices = [
        {"id": view, "name": f"controlGroup_{name}:optionsListDataView", "type": "index-pattern"}
        for name, (_, _, view) in _CHOICES.items()
    ]
    return {
        "id": DASHBOARD,
        "type": "dashboard",
        "attributes": {
            "title": "Logs of pipelines and services",
            "description": "What tasks and services log, by DAG, run, task and service.",
            "timeRestore": True,
            "timeFrom": "now-24h",
            "timeTo": "now",
            "refreshInterval": {"pause": True, "value": 60_000},
            "optionsJSON": json.dumps({"useMargins": True, "hidePanelTitles": False}),
            "panelsJSON": json.dumps([panel.json() for panel in panels], sort_keys=True),
            "controlGroupInput": _choices(),
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps({"query": _query(""), "filter": []})},
        },
        "references": references + choices,
    }


def _choices() -> dict[str, Any]:
    """Drop-down lists of values, each narrowed by those to its left."""
    panels = {
        name: {
            "type": "optionsListControl",
            "order": order,
            "width": "medium",
            "grow": True,
            "explicitInput": {"id": name, "title": title, "fieldName": field},
        }
        for order, (name, (title, field, _)) in enumerate(_CHOICES.items())
    }
    follow = ("ignoreFilters", "ignoreQuery", "ignoreTimerange", "ignoreValidations")
    return {
        "controlStyle": "oneLine",
        "chainingSystem": "HIERARCHICAL",
        "panelsJSON": json.dumps(panels, sort_keys=True),
        "ignoreParentSettingsJSON": json.dumps(dict.fromkeys(follow, False)),
    }


def _saved(identifier: str, title: str, search: str, place: tuple[int, int, int, int]) -> _Panel:
    """A saved search."""
    name = f"panel_{identifier}"
    return _Panel(
        identifier=identifier,
        kind="search",
        title=title,
        place=place,
        content={"panelRefName": name, "embeddableConfig": {}},
        references={name: ("search", search)},
    )


def _over_time(identifier: str, title: str, view: str, place: tuple[int, int, int, int]) -> _Panel:
    """Bars of lines over time, stacked by level."""
    columns = {"level": _values("log.level"), "time": _TIME, "count": _count()}
    layer = {
        "layerId": _LAYER,
        "layerType": "data",
        "seriesType": "bar_stacked",
        "splitAccessor": "level",
        "xAccessor": "time",
        "accessors": ["count"],
    }
    shape = {
        "preferredSeriesType": "bar_stacked",
        "legend": {"isVisible": True, "position": "right"},
        "valueLabels": "hide",
        "layers": [layer],
    }
    return _lens(identifier, title, view, place, kind="lnsXY", shape=shape, columns=columns)


def _table(
    identifier: str, title: str, view: str, field: str, query: str, place: tuple[int, int, int, int]
) -> _Panel:
    """How many documents there are of each value of a field."""
    shape = {
        "layerId": _LAYER,
        "layerType": "data",
        "columns": [{"columnId": "value"}, {"columnId": "count"}],
    }
    columns = {"value": _values(field), "count": _count()}
    return _lens(
        identifier, title, view, place, kind="lnsDatatable", shape=shape, columns=columns, query=query
    )


def _lens(
    identifier: str,
    title: str,
    view: str,
    place: tuple[int, int, int, int],
    *,
    kind: str,
    shape: Mapping[str, Any],
    columns: Mapping[str, Any],
    query: str = "",
) -> _Panel:
    name = f"indexpattern-datasource-layer-{_LAYER}"
    layers = {_LAYER: {"columns": columns, "columnOrder": list(columns), "incompleteColumns": {}}}
    attributes = {
        "title": title,
        "type": "lens",
        "visualizationType": kind,
        "references": [{"id": view, "name": name, "type": "index-pattern"}],
        "state": {
            "visualization": shape,
            "query": _query(query),
            "filters": [],
            "datasourceStates": {"formBased": {"layers": layers}},
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }
    return _Panel(
        identifier=identifier,
        kind="lens",
        title=title,
        place=place,
        content={"embeddableConfig": {"attributes": attributes, "enhancements": {}}},
        references={name: ("index-pattern", view)},
    )


def _query(text: str) -> dict[str, str]:
    return {"query": text, "language": "kuery"}


def _values(field: str) -> dict[str, Any]:
    return {
        "label": field,
        "dataType": "string",
        "operationType": "terms",
        "sourceField": field,
        "isBucketed": True,
        "scale": "ordinal",
        "params": {
            "size": 20,
            "orderBy": {"type": "column", "columnId": "count"},
            "orderDirection": "desc",
            "otherBucket": True,
            "missingBucket": False,
            "parentFormat": {"id": "terms"},
        },
    }


def _count() -> dict[str, Any]:
    return {
        "label": "documents",
        "customLabel": True,
        "dataType": "number",
        "operationType": "count",
        "sourceField": "___records___",
        "isBucketed": False,
        "scale": "ratio",
        "params": {"emptyAsNull": True},
    }
