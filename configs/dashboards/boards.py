"""What every dashboard of the stack has: its variables, its annotations, its links to the others."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableRefresh,
    VariableSort,
)

from configs.dashboards.panels import Panel
from configs.dashboards.sources import METRICS

Variable: TypeAlias = dashboard.QueryVariable | dashboard.TextBoxVariable

TAG = "mlops"
"""The tag by which the dashboards find each other."""


def board(
    title: str,
    uid: str,
    variables: Sequence[Variable],
    rows: Mapping[str, Sequence[Panel]],
) -> str:
    """Return a dashboard in classic JSON with sorted keys; ``rows``: title -> panels."""
    result = (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags([TAG])
        .time("now-1h", "now")
        .refresh("10s")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_to_the_others())
    )
    for choice in (_stack(), *variables):
        result.with_variable(choice)
    for annotation in _annotations():
        result.annotation(annotation)
    for name, panels in rows.items():
        result.with_row(dashboard.Row(name))
        for panel in panels:
            result.with_panel(panel)
    return json.dumps(result.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A choice of several values, or all, out of a PromQL ``label_values`` query."""
    return _choice(name, label, query).multi(True).include_all(True).all_value(".*")


def search() -> dashboard.TextBoxVariable:
    """Words that log lines must hold; all lines by default."""
    return dashboard.TextBoxVariable("search").label("Search").default_value("*")


def _stack() -> dashboard.QueryVariable:
    return _choice("stack", "Stack", 'label_values(up{job="prometheus"}, stack)')


def _choice(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(METRICS)
        .query({"query": query, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def _annotations() -> list[dashboard.AnnotationQuery]:
    failures = (
        dashboard.AnnotationQuery()
        .name("Failures")
        .datasource(METRICS)
        .icon_color("red")
        .enable(True)
        .expr('airflow_dag_run_failed{stack="$stack"}')
        .step("10s")
        .title_format("{{dag_id}} failed")
        .text_format("{{run_id}}")
        .tag_keys("dag_id")
    )
    deployments = (
        dashboard.AnnotationQuery()
        .name("Deployments")
        .datasource(METRICS)
        .icon_color("blue")
        .enable(True)
        .expr('container_start_time_seconds{stack="$stack"} * 1000')
        .step("1m")
        .title_format("{{service}} started")
        .tag_keys("service")
        .use_value_for_time(True)
    )
    return [failures, deployments]


def _to_the_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("Dashboards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(True)
        .keep_time(True)
        .include_vars(True)
    )
