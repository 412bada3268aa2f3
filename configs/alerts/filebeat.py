"""Alerts about the Filebeats by their own figures, which say why lines do not arrive."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "filebeat"

_SERVICE = "{{ $labels.service }}"

INHIBITIONS = (
    Inhibition(source="ContainerDown", targets=('alertname="FilebeatDown"',), equal=("service",)),
    # What cannot be delivered fills the queue.
    *(
        Inhibition(source=source, targets=('alertname="FilebeatQueueFull"',), equal=("service",))
        for source in ("FilebeatOutputFailing", "FilebeatStalled")
    ),
    Inhibition(source="FilebeatOutputFailing", targets=('alertname="FilebeatStalled"',), equal=("service",)),
)


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about every Filebeat of the stack."""
    more = links.dashboard(uids.WATCHERS) | links.service_logs()
    rules = (*_delivery(more), *_loss(more), *_room(more))
    return (RuleGroup(component=COMPONENT, rules=rules),)


def _delivery(more: dict[str, str]) -> tuple[AlertRule, ...]:
    again = " or ".join(
        f"sum by (service) (increase({counter}[1m])) > 0"
        for counter in (
            'filebeat_output_events_total{outcome="failed"}',
            'filebeat_pipeline_events_total{outcome="retried"}',
        )
    )
    return (
        AlertRule(
            name="FilebeatDown",
            expression="filebeat_up == 0",
            hold=60,
            severity="critical",
            summary=f"{_SERVICE} does not answer",
            description="It ships nothing. Log lines wait on the disk and are shipped once it is back, as "
            "long as their files are there.",
            links=more,
        ),
        AlertRule(
            name="FilebeatOutputFailing",
            # A canary leaves every half minute, so a minute in which nothing does is no lull. A restart of
            # Elasticsearch is over within the second minute, and with it the first event has left.
            expression=f"({again}) and on (service) {_left('1m')} == 0",
            hold=60,
            severity="critical",
            summary=f"{_SERVICE} cannot deliver to Elasticsearch: {{{{ $value | humanize }}}} events sent "
            "again within a minute",
            description="It keeps trying and loses nothing while the log files are there, but new lines are "
            "missing from searches.",
            links=more,
        ),
        AlertRule(
            name="FilebeatStalled",
            expression=f"filebeat_queue_events > 0 and on (service) {_left('2m')} == 0",
            hold=60,
            severity="critical",
            summary=f"{_SERVICE} has {{{{ $value }}}} events in its queue, and none has left it for minutes",
            description="It waits for an answer of Elasticsearch that does not come. New lines are missing "
            "from searches.",
            links=more,
        ),
        AlertRule(
            name="ElasticsearchRefusesLogs",
            expression="sum by (service)"
            ' (increase(filebeat_output_events_total{outcome="too_many_requests"}[5m])) > 0',
            hold=300,
            severity="warning",
            summary="Elasticsearch has refused events of "
            f"{_SERVICE} for want of capacity for more than five minutes",
            description="It answers 429 to what it has no room for. Nothing is lost, since they are sent "
            "again, but lines arrive later and later.",
            links=more,
        ),
    )


def _left(window: str) -> str:
    return f"increase(filebeat_queue_events_removed_total[{window}])"


def _loss(more: dict[str, str]) -> tuple[AlertRule, ...]:
    dropped = " or ".join(
        f'sum by (service) (increase({counter}{{outcome="dropped"}}[10m])) > 0'
        for counter in ("filebeat_output_events_total", "filebeat_pipeline_events_total")
    )
    return (
        AlertRule(
            name="FilebeatEventsDropped",
            expression=dropped,
            severity="critical",
            summary=f"{_SERVICE} gave up {{{{ $value | humanize }}}} log lines within ten minutes",
            description="They are not in Elasticsearch, not among the dead letters either, and will not be "
            "sent again. Their files may still be on the disk.",
            links=more,
        ),
    )


def _room(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="FilebeatQueueFull",
            expression="filebeat_queue_events / filebeat_queue_events_limit > 0.9",
            hold=300,
            severity="warning",
            summary=f"The queue of {_SERVICE} is {{{{ $value | humanizePercentage }}}} full",
            description="More is logged than gets delivered: lines arrive later and later.",
            links=more,
        ),
        AlertRule(
            name="FilebeatOpenFilesHigh",
            expression="filebeat_open_files / filebeat_open_files_limit > 0.8",
            hold=300,
            severity="warning",
            summary=f"{_SERVICE} has {{{{ $value | humanizePercentage }}}} of the files open that it may",
            description="At the limit it opens no new log: what new tasks log is not shipped until others "
            "are closed, half an hour after their last line.",
            links=more,
        ),
    )
