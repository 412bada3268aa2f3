"""The kinds of panels that the dashboards are made of, with the units, legends and colours they share.

A panel that may rightly be empty says when: its description ends with "Empty while ...".
"""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    elasticsearch,
    logs,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    DataSourceRef,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LogsSortOrder,
    StackingMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from configs.dashboards.sources import LOGS, METRICS

Panel: TypeAlias = timeseries.Panel | stat.Panel | logs.Panel | table.Panel
DataLinks: TypeAlias = Sequence[dashboard.DashboardLink]

_NUMBER_WIDTH = 4
_GRAPH_WIDTH = 12
_GOOD, _BAD = "green", "red"


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


def lines(
    title: str, description: str, unit: str, expressions: Mapping[str, str], links: DataLinks = ()
) -> timeseries.Panel:
    """Lines of measured values; ``expressions``: legend -> PromQL; ``links``: where a point leads."""
    graph = _graph(title, description, unit, expressions, links)
    return graph.show_points(VisibilityMode.AUTO).fill_opacity(5)


def bars(
    title: str, description: str, expressions: Mapping[str, str], links: DataLinks = ()
) -> timeseries.Panel:
    """Stacked bars of counted events; ``expressions``: legend -> PromQL of the count per ``$__interval``."""
    counted = {legend: f"{text} > 0" for legend, text in expressions.items()}
    return (
        _graph(title, description, "short", counted, links)
        .draw_style(GraphDrawStyle.BARS)
        .fill_opacity(80)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL))
        .decimals(0)
    )


def rows(
    title: str,
    description: str,
    expression: str,
    columns: Mapping[str, str],
    links: DataLinks = (),
) -> table.Panel:
    """A table of what is so now; ``columns``: label -> heading, in order; ``links``: where a row leads."""
    query = prometheus.Dataquery().datasource(METRICS).expr(expression).instant()
    shown = {
        "includeByName": dict.fromkeys(columns, True),
        "indexByName": {label: place for place, label in enumerate(columns)},
        "renameByName": {},
    }
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(METRICS)
        .with_target(query.format(PromQueryFormat.TABLE).ref_id("A"))
        .with_transformation(DataTransformerConfig(id_val="organize", options=shown))
        .data_links(list(links))
        .span(2 * _GRAPH_WIDTH)
        .height(7)
    )
    # A rename by the transformation would take the names away from under the links.
    for label, heading in columns.items():
        panel.override_by_name(label, [DynamicConfigValue(id_val="displayName", value=heading)])
    return panel


def log_bars(
    title: str, description: str, query: str, by: str, source: DataSourceRef = LOGS
) -> timeseries.Panel:
    """Stacked bars of log lines that match a Lucene ``query``, by the values of a keyword field."""
    terms = elasticsearch.Terms().id("2").field(by)
    terms.settings(elasticsearch.ElasticsearchTermsSettings().size("20").order("desc").order_by("_count"))
    time = elasticsearch.DateHistogram().id("3").field("@timestamp")
    time.settings(elasticsearch.ElasticsearchDateHistogramSettings().interval("auto").min_doc_count("0"))
    target = _search(query, source).metrics([elasticsearch.Count().id("1")]).bucket_aggs([terms, time])
    return (
        _graph(title, description, "short", {}, ())
        .datasource(source)
        .with_target(target)
        .draw_style(GraphDrawStyle.BARS)
        .fill_opacity(80)
        .stacking(common.StackingConfig().mode(StackingMode.NORMAL))
        .decimals(0)
    )


def log_lines(title: str, description: str, query: str, source: DataSourceRef = LOGS) -> logs.Panel:
    """Log lines that match a Lucene ``query``, newest first."""
    target = _search(query, source).metrics(
        [elasticsearch.Logs().id("1").settings(elasticsearch.ElasticsearchLogsSettings().limit("500"))]
    )
    return (
        logs.Panel()
        .title(title)
        .description(description)
        .datasource(source)
        .with_target(target)
        .show_time(True)
        .wrap_log_message(True)
        .enable_log_details(True)
        .sort_order(LogsSortOrder.DESCENDING)
        .span(2 * _GRAPH_WIDTH)
        .height(12)
    )


def _search(query: str, source: DataSourceRef) -> elasticsearch.Dataquery:
    return elasticsearch.Dataquery().datasource(source).query(query).time_field("@timestamp").ref_id("A")


def _graph(
    title: str, description: str, unit: str, expressions: Mapping[str, str], links: DataLinks
) -> timeseries.Panel:
    legend = common.VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(METRICS)
        .unit(unit)
        .min(0)
        .legend(legend.show_legend(True))
        .data_links(list(links))
        .span(_GRAPH_WIDTH)
        .height(8)
    )
    for number_of_query, (name, expression) in enumerate(expressions.items()):
        panel.with_target(_query(expression, name, chr(ord("A") + number_of_query)))
    return panel


def _query(expression: str, legend: str, reference: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().datasource(METRICS).expr(expression).legend_format(legend)
    return query.range().ref_id(reference)
