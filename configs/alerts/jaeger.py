"""Alerts about Jaeger: whether it takes spans, whether the store keeps them, and whether traces are found."""

from configs.dashboards import uids
from configs.growth import grew
from configs.links import Links
from configs.rules import AlertRule, Inhibition, RuleGroup

COMPONENT = "jaeger"

_OF_JAEGER = '{job="jaeger"}'
_REFUSED = "otelcol_receiver_refused_spans_total"
_WAITING = "otelcol_exporter_queue_size"
_NOT_TAKEN = "jaeger_storage_bulk_index_errors_total"
_FAILING = "jaeger_storage_bulk_index_latency_err_seconds"
_STORING = "jaeger_storage_bulk_index_latency_ok_seconds"
_QUESTIONS = "jaeger_storage_requests_total"

_SERVICE = {"service": COMPONENT}

INHIBITIONS = (
    # A queue that is full was not emptied.
    Inhibition(source="JaegerSpansRefused", targets=('alertname="JaegerCannotStore"',)),
)


def groups(links: Links) -> tuple[RuleGroup, ...]:
    """The alerts about traces; that Jaeger is down is told by ``EndpointDown`` and ``MinorTargetDown``."""
    more = links.dashboard(uids.WATCHERS) | links.service_logs(COMPONENT)
    return (RuleGroup(component=COMPONENT, rules=(*_losing(more), *_delaying(more))),)


def _losing(more: dict[str, str]) -> tuple[AlertRule, ...]:
    return (
        AlertRule(
            name="JaegerSpansRefused",
            expression=f"{_grew(_REFUSED)} > 0",
            severity="warning",
            summary="Jaeger refuses spans: traces of DAG runs have gaps",
            description='{{ $value | printf "%.0f" }} within five minutes. Its queue is full, because the '
            "store takes spans slower than they come, or not at all. Airflow tries again for two seconds "
            "only.",
            links=more,
            labels=_SERVICE,
            born_by_event=frozenset({_REFUSED}),
        ),
        AlertRule(
            name="JaegerStoreRefuses",
            expression=f"{_grew(_NOT_TAKEN)} > 0",
            severity="warning",
            summary="Elasticsearch refuses spans that Jaeger sends it",
            description='{{ $value | printf "%.0f" }} within five minutes. Those that it has no room for are '
            "sent again, others are lost.",
            links=more,
            labels=_SERVICE,
            born_by_event=frozenset({_NOT_TAKEN}),
        ),
    )


def _delaying(more: dict[str, str]) -> tuple[AlertRule, ...]:
    storing = f"rate({_STORING}_sum{_OF_JAEGER}[5m]) / rate({_STORING}_count{_OF_JAEGER}[5m])"
    failed = f'sum by (job) (increase({_QUESTIONS}{{job="jaeger", result="err"}}[5m]))'
    asked = f"sum by (job) (increase({_QUESTIONS}{_OF_JAEGER}[5m]))"
    return (
        AlertRule(
            name="JaegerCannotStore",
            # A few spans wait in the write that fails, and not in the queue before it.
            expression=f"max by (job) (min_over_time({_WAITING}{_OF_JAEGER}[1m])) > 0"
            f" or ({_grew(f'{_FAILING}_count')} > 0 unless {_grew(f'{_STORING}_count')} > 0)",
            hold=60,
            severity="warning",
            summary="Jaeger cannot store spans, which wait in its memory",
            description="Traces of the last minutes are not found yet. Nothing is lost until the queue is "
            "full, or Jaeger ends.",
            links=more,
            labels=_SERVICE,
            born_by_event=frozenset({f"{_FAILING}_count", f"{_STORING}_count"}),
        ),
        AlertRule(
            name="JaegerStoresSlowly",
            expression=f"sum by (job) ({storing}) > 2",
            hold=300,
            severity="warning",
            summary="Jaeger waits {{ $value | humanizeDuration }} for each write to the store",
            description="The mean of five minutes; finished spans are found that much later.",
            links=more,
            labels=_SERVICE,
            born_by_event=frozenset({f"{_STORING}_sum", f"{_STORING}_count"}),
        ),
        AlertRule(
            name="JaegerQueriesFail",
            expression=f"({failed} > 5) / {asked} > 0.1",
            hold=60,
            severity="warning",
            summary="Jaeger cannot answer {{ $value | humanizePercentage }} of the questions for traces",
            description="The store does not answer it in time, or refuses it. Spans may be stored all the "
            "same.",
            links=more,
            labels=_SERVICE,
            born_by_event=frozenset({f'{_QUESTIONS}{{result="err"}}'}),
        ),
    )


def _grew(counter: str) -> str:
    """How much a counter grew within five minutes."""
    age = f"otelcol_process_uptime_seconds_total{_OF_JAEGER}"
    return grew(counter + _OF_JAEGER, "job", 300, job="jaeger", age=age)
