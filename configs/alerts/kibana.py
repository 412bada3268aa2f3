"""Alerts about Kibana: that it does not answer is told by its probe, that it is not well by itself."""

from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "kibana"

_OF_KIBANA = '{service="kibana"}'

INHIBITIONS = (
    # What it says itself is more than that the probe failed.
    Inhibition(source="KibanaNotWell", targets=('component="probes"', 'service="kibana"')),
)


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about the page that logs are explored with."""
    says_so = f"(probe_http_status_code{_OF_KIBANA} == 503 or probe_failed_due_to_regex{_OF_KIBANA} == 1)"
    # While it starts for the first time it says the same, for minutes.
    was_there = (
        f"(max_over_time(probe_success{_OF_KIBANA}[10m]) == 1 or probe_success{_OF_KIBANA} offset 10m)"
    )
    rules = (
        AlertRule(
            name="KibanaNotWell",
            expression=f"{says_so} and {was_there}",
            # Before the probe's own alert, which it holds back.
            hold=20,
            severity="warning",
            summary="Kibana says that it cannot work",
            description="It answers, but not with the level available: it is starting again, or cannot reach "
            "Elasticsearch or log in there. Links from alerts to logs show nothing until it can.",
            links=links.service_logs("kibana"),
        ),
    )
    return (RuleGroup(component=COMPONENT, rules=rules),)
