"""Alerts about Grafana: whether dashboards answer those who look at them."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, RuleGroup

COMPONENT = "grafana"

_REQUESTS = "grafana_http_request_duration_seconds"
_ASKED = 'handler!="/metrics"'
_QUERIES = 'handler="/api/ds/query"'
# Neither is there until somebody opens a page.
_BORN = frozenset({f"{_REQUESTS}_count", f"{_REQUESTS}_bucket"})


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about the dashboards' server; that it is down is told by its probe."""
    more = links.dashboard(uids.WATCHERS) | links.service_logs("grafana")
    rules = (
        AlertRule(
            name="GrafanaErrors",
            expression=_share('status_code=~"5.."', _ASKED) + " > 0.05",
            hold=120,
            severity="warning",
            summary="Grafana fails to answer {{ $value | humanizePercentage }} of its requests",
            description="Pages or panels fail for those who look at them, by an error of Grafana's own.",
            links=more,
            born_by_event=_BORN,
        ),
        AlertRule(
            name="GrafanaQueriesFail",
            expression=_share('status_code!="200"', _QUERIES) + " > 0.5",
            hold=120,
            severity="warning",
            summary="Grafana cannot answer {{ $value | humanizePercentage }} of its panels' queries",
            description="A data source does not answer, or refuses the login that it is given: panels are "
            "empty or show an error.",
            links=more,
            born_by_event=_BORN,
        ),
        AlertRule(
            name="GrafanaQueriesSlow",
            expression="histogram_quantile(0.95, sum by (le)"
            f" (rate({_REQUESTS}_bucket{{{_QUERIES}}}[5m]))) > 5",
            hold=300,
            severity="warning",
            summary="Grafana takes {{ $value | humanizeDuration }} and more for one of twenty queries",
            description="Dashboards are hardly usable. A data source is busy, or a panel asks for too much.",
            links=more,
            born_by_event=_BORN,
        ),
    )
    return (RuleGroup(component=COMPONENT, rules=rules),)


def _share(bad: str, of: str) -> str:
    """The share of ``bad`` ones among the requests that match ``of``, if more than five are bad."""
    failed = f"sum(increase({_REQUESTS}_count{{{of}, {bad}}}[5m]))"
    return f"({failed} > 5) / sum(increase({_REQUESTS}_count{{{of}}}[5m]))"
