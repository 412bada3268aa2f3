"""Alerts about log lines that do not arrive, arrive late, or are refused, whatever the reason."""

from configs.dashboards import uids
from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "log-exporter"

# A canary is written every 30 s and found within 2 s: two in a row are missing then, and a third is being
# looked for. Elasticsearch may restart in between.
_STALE_SECONDS = 90
_SLOW_SECONDS = 10
_NEW_WITHIN = "10m"
_LETTERS = "log_dead_letter_documents"

INHIBITIONS = (
    Inhibition(source="LogCanaryStale", targets=('alertname="LogShippingSlow"',), equal=("stream",)),
)


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts that follow log lines from end to end."""
    more = links.dashboard(uids.LOGS)
    rules = (
        AlertRule(
            name="LogCanaryStale",
            expression=f"time() - log_canary_last_found_timestamp_seconds > {_STALE_SECONDS}",
            severity="critical",
            summary="Logs of {{ $labels.stream }}s do not arrive: no test line was found for "
            "{{ $value | humanizeDuration }}",
            description="A test line is written every 30 s and looked for in Elasticsearch. New log lines "
            "are missing from searches; they wait on the disk as long as their files are there.",
            links=more | links.service_logs("log-exporter"),
        ),
        AlertRule(
            name="LogShippingSlow",
            expression=f"log_canary_delay_seconds > {_SLOW_SECONDS}",
            hold=180,
            severity="warning",
            summary="Logs of {{ $labels.stream }}s arrive {{ $value | humanizeDuration }} late",
            description=f"For three minutes every test line took longer than {_SLOW_SECONDS} s, 2 s being "
            "usual. Whoever follows an alert to the logs finds the last lines missing.",
            links=more | links.service_logs("log-exporter"),
        ),
        AlertRule(
            name="LogDeadLetters",
            # The oldest are deleted at their age: a fall is no news, and what was there at the start neither.
            expression=f"{_LETTERS} - min_over_time({_LETTERS}[{_NEW_WITHIN}]) > 0",
            severity="warning",
            summary="Elasticsearch refused {{ $value }} log documents within "
            f"{_NEW_WITHIN}: they are in {{{{ $labels.data_stream }}}}",
            description="They are kept there as text with the reason, but no search in the logs finds them.",
            links=more,
        ),
    )
    return (RuleGroup(component=COMPONENT, rules=rules),)
