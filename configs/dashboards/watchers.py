"""The watchers themselves: do metrics, alerts, logs and traces come through, and at what cost."""

from configs.dashboards import uids
from configs.dashboards.boards import board
from configs.dashboards.panels import Panel, lines
from configs.links import Links

UID = uids.WATCHERS

_OF_STACK = '{stack="$stack"}'


def render(links: Links) -> str:
    """Return the dashboard in classic JSON with sorted keys."""
    parts = {"Metrics": _metrics(), "Alerts": _alerts()}
    if links.elasticsearch:
        parts["Logs"] = _logs()
    if links.jaeger:
        parts["Traces"] = _traces()
    return board(f"Watchers ({links.stack})", UID, [], parts)


def _metrics() -> list[Panel]:
    return [
        lines(
            "Series and samples",
            "Series in memory; samples taken per second.",
            "short",
            {
                "series": f"prometheus_tsdb_head_series{_OF_STACK}",
                "samples per second": f"rate(prometheus_tsdb_head_samples_appended_total{_OF_STACK}[1m])",
            },
        ),
        lines(
            "Time of a scrape",
            "Of each metrics page.",
            "s",
            {"{{job}}": f"max by (job) (scrape_duration_seconds{_OF_STACK})"},
        ),
        lines(
            "StatsD events",
            "Per second, by kind.",
            "ops",
            {"{{type}}": f"rate(statsd_exporter_events_total{_OF_STACK}[1m])"},
        ),
        lines(
            "StatsD losses",
            "Per second: datagrams dropped, lines that were none, values that did not fit.",
            "ops",
            {
                "dropped": f"rate(statsd_exporter_udp_packet_drops_total{_OF_STACK}[5m])",
                "malformed": f"sum(rate(statsd_exporter_sample_errors_total{_OF_STACK}[5m])) or vector(0)",
                "conflicts": f"sum(rate(statsd_exporter_events_conflict_total{_OF_STACK}[5m])) or vector(0)",
            },
        ),
    ]


def _alerts() -> list[Panel]:
    return [
        lines(
            "Time of a rule group",
            "Of its last evaluation.",
            "s",
            {"{{rule_group}}": f"prometheus_rule_group_last_duration_seconds{_OF_STACK}"},
        ),
        lines(
            "Messages",
            "Per second, by way; failed ones below.",
            "ops",
            {
                "{{integration}}": (
                    f"sum by (integration) (rate(alertmanager_notifications_total{_OF_STACK}[5m]))"
                ),
                "{{integration}} failed": (
                    f"sum by (integration) (rate(alertmanager_notifications_failed_total{_OF_STACK}[5m]))"
                ),
            },
        ),
    ]


def _logs() -> list[Panel]:
    return [
        lines(
            "Way of a log line",
            "From the disk to the search, for a trial line every half minute.",
            "s",
            {"{{stream}}": f"log_canary_delay_seconds{_OF_STACK}"},
        ),
        lines(
            "Shipped lines",
            "Acknowledged by the log store, per second.",
            "ops",
            {"{{service}}": 'rate(filebeat_output_events_total{stack="$stack", outcome="acked"}[1m])'},
        ),
    ]


def _traces() -> list[Panel]:
    return [
        lines(
            "Spans that wait",
            "In the queue between the receiver and the store.",
            "short",
            {"waiting": f"sum(otelcol_exporter_queue_size{_OF_STACK})"},
        ),
    ]
