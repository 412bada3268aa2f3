"""Alerts about the way of Airflow's metrics, on which packets are lost without a complaint of the sender."""

from configs.dashboards import uids
from configs.growth import grew
from configs.links import Links
from configs.rules import AlertRule, RuleGroup

COMPONENT = "statsd-exporter"

_WINDOW_SECONDS = 300


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about what does not get through; that the exporter is down is told by ``TargetDown``."""
    more = links.dashboard(uids.WATCHERS) | links.service_logs("statsd-exporter")
    errors, conflicts = "statsd_exporter_sample_errors_total", "statsd_exporter_events_conflict_total"
    rules = (
        AlertRule(
            name="StatsdSilent",
            expression="rate(statsd_exporter_udp_packets_total[1m]) == 0"
            ' and on () max(airflow_jobs_alive{service="airflow-scheduler"}) > 0',
            hold=60,
            severity="warning",
            summary="The StatsD exporter gets nothing from Airflow, whose scheduler runs",
            description="Panels of durations, pools and queues stand still, and so do the alerts about them. "
            "Failed tasks and runs are told nevertheless: they are read from the database.",
            links=more,
        ),
        AlertRule(
            name="StatsdPacketsDropped",
            expression=f"increase(statsd_exporter_udp_packet_drops_total[{_WINDOW_SECONDS}s]) > 0",
            severity="warning",
            summary="The StatsD exporter dropped {{ $value | humanize }} packets for want of room",
            description="Within five minutes. Counts and durations are too low by what was in them.",
            links=more,
        ),
        AlertRule(
            name="StatsdLinesRefused",
            expression=f"{grew(errors, 'reason', _WINDOW_SECONDS)} > 0",
            severity="warning",
            summary="The StatsD exporter cannot read lines that it is sent: {{ $labels.reason }}",
            description="Within five minutes. Something sends what is no StatsD, or an id of a DAG or task "
            "breaks the format.",
            links=more,
            born_by_event=frozenset({errors}),
        ),
        AlertRule(
            name="StatsdTagsRefused",
            expression=f"increase(statsd_exporter_tag_errors_total[{_WINDOW_SECONDS}s]) > 0",
            severity="warning",
            summary="The StatsD exporter cannot read tags of {{ $value | humanize }} lines",
            description="Within five minutes. The value is counted, but without a label, such as its DAG's "
            "id.",
            links=more,
        ),
        AlertRule(
            name="StatsdNameConflict",
            expression=f"{grew(conflicts, 'type', _WINDOW_SECONDS)} > 0",
            severity="warning",
            summary="The StatsD exporter refuses a {{ $labels.type }} whose name is taken by another kind of "
            "metric",
            description="Within five minutes. A task sends, for instance, a gauge under the name of a "
            "counter: the one that came later is lost.",
            links=more,
            born_by_event=frozenset({conflicts}),
        ),
    )
    return (RuleGroup(component=COMPONENT, rules=rules),)
