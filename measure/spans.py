"""From the end of a span in one of Airflow's containers to an answer of Jaeger that has it."""

from collections.abc import Set

from measure.sampling import Samples, Target, follow
from measure.stack import ANSWER_SECONDS, Stack

TARGET = Target(median=3)
_GAP_SECONDS = 0.7
_PATIENCE_SECONDS = 60


def sample(stack: Stack, *, count: int = 100) -> Samples:
    """End ``count`` spans and wait for the trace of each.

    Raises:
        MeasureError: a service does not run.
    """
    events = stack.run_inside("airflow-scheduler", "end_spans.py", count, _GAP_SECONDS)
    delays, lost = follow(
        events,
        lambda traces: _found(stack, traces),
        count=count,
        patience=_PATIENCE_SECONDS,
    )
    return Samples(way="finished span → Jaeger", delays=delays, lost=lost, target=TARGET)


def _found(stack: Stack, traces: Set[str]) -> set[str]:
    return {trace for trace in traces if _has(stack, trace)}


def _has(stack: Stack, trace: str) -> bool:
    answer = stack.session.get(f"{stack.endpoints['jaeger']}/api/traces/{trace}", timeout=ANSWER_SECONDS)
    if answer.status_code == 404:
        return False
    answer.raise_for_status()
    return any(each["spans"] for each in answer.json()["data"])
