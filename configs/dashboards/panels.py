"""The kinds of panels that the dashboards are made of, with the units, legends and colours they share."""

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    elasticsearch,
    logs,
    prometheus,
    stat,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
    VariableSort,
)

from configs.dashboards.sources import LOGS, METRICS

Panel: TypeAlias = timeseries.Panel | stat.Panel | logs.Panel

_NUMBER_WIDTH = 4
_GRAPH_WIDTH = 12
_GOOD, _BAD = "green", "red"


def board(
    title: str,
    uid: str,
    tags: Sequence[str],
    variables: Sequence[dashboard.QueryVariable],
    rows: Mapping[str, Sequence[Panel]],
) -> str:
    """Return a dashboard in classic JSON with sorted keys; ``rows``: title -> panels."""
    result = (
        dashboard.Dashboard(title)
        .uid(uid)
        .tags(list(tags))
        .time("now-1h", "now")
        .refresh("10s")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )
    for choice in variables:
        result.with_variable(choice)
    for name, panels in rows.items():
        result.with_row(dashboard.Row(name))
        for panel in panels:
            result.with_panel(panel)
    return json.dumps(result.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    """A choice of several values, or all, out of a PromQL ``label_values`` query."""
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(METRICS)
        .query({"query": query, "refId": name})
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
    )


def number(
    title: str,
    description: str,
    expression: str,
    unit: str = "short",
    *,
    bad_below: float | None = None,
    bad_from: float | None = None,
) -> stat.Panel:
    """One number, red below ``bad_below`` or from ``bad_from`` on."""
    steps = [Threshold(value=None, color=_GOOD if bad_below is None else _BAD)]
    if bad_below is not None:
        steps.append(Threshold(value=bad_below, color=_GOOD))
    if bad_from is not None:
        steps.append(Threshold(value=bad_from, color=_BAD))
    return (
        stat.Panel()
        .title(title)
        .description(description)
        .datasource(METRICS)
        .with_target(_query(expression, title, "A"))
        .unit(unit)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .no_value("-")
        .span(_NUMBER_WIDTH)
        .height(4)
    )


def lines(title: str, description: str, unit: str, expressions: Mapping[str, str]) -> timeseries.Panel:
    """Lines of measured values; ``expressions``: legend -> PromQL."""
    return _graph(title, description, unit, expressions).show_points(VisibilityMode.AUTO).fill_opacity(5)


def bars(title: str, description: str, expressions: Mapping[str, str]) -> timeseries.Panel:
    """Stacked bars of counted events; ``expressions``: legend -> PromQL of the count per ``$__interval``."""
    return (
        _graph(title, description, "short", {legend: f"{text} > 0" for legend, text in expressions.items()})
        .draw_style(GraphDrawStyle.BARS)
        .fill_opacity(80)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL))
        .decimals(0)
    )


def log_lines(title: str, description: str, query: str) -> logs.Panel:
    """Log lines that match a Lucene ``query``, newest first."""
    target = elasticsearch.Dataquery().datasource(LOGS).query(query).time_field("@timestamp").ref_id("A")
    target.metrics(
        [elasticsearch.Logs().id("1").settings(elasticsearch.ElasticsearchLogsSettings().limit("500"))]
    )
    return (
        logs.Panel()
        .title(title)
        .description(description)
        .datasource(LOGS)
        .with_target(target)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(LogsSortOrder.DESCENDING)
        .span(2 * _GRAPH_WIDTH)
        .height(12)
    )


def _graph(title: str, description: str, unit: str, expressions: Mapping[str, str]) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(METRICS)
        .unit(unit)
        .min(0)
        .legend(legend.show_legend(True))
        .span(_GRAPH_WIDTH)
        .height(8)
    )
    for number_of_query, (name, expression) in enumerate(expressions.items()):
        panel.with_target(_query(expression, name, chr(ord("A") + number_of_query)))
    return panel


def _query(expression: str, legend: str, reference: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().datasource(METRICS).expr(expression).legend_format(legend)
    return query.range().ref_id(reference)
