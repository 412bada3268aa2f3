"""Alerts about pages that must answer, asked from the stack's own network."""

from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "probes"

INHIBITIONS = (Inhibition(source="EndpointDown", targets=('alertname="EndpointSlow"',), equal=("instance",)),)

# As with containers: what has never answered may wait for others while a stack comes up.
_PATIENCE = "10m"


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about every page that a service declares."""
    more = links.service_logs()
    rules = (
        AlertRule(
            name="EndpointDown",
            expression=f"probe_success == 0 and (max_over_time(probe_success[{_PATIENCE}]) == 1"
            f" or probe_success offset {_PATIENCE})",
            # An update replaces Airflow's API server within a minute.
            hold=90,
            severity="critical",
            summary="{{ $labels.service }} does not answer as it should",
            description="{{ $labels.instance }} gives no answer within eight seconds, an answer of "
            "failure, or a text that says that it is not well.",
            links=more,
        ),
        AlertRule(
            name="EndpointSlow",
            expression="avg_over_time(probe_duration_seconds[10m]) > 2",
            hold=600,
            severity="info",
            summary="{{ $labels.service }} is slow to answer",
            description="{{ $labels.instance }} has taken {{ $value | humanizeDuration }} on average, for "
            "ten minutes.",
            links=more,
        ),
    )
    return (RuleGroup(component=COMPONENT, rules=rules),)
