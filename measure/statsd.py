"""From a StatsD datagram to an answer of Prometheus that has it."""

from collections.abc import Set

from measure.sampling import Samples, Target, follow
from measure.stack import ANSWER_SECONDS, Stack

TARGET = Target(worst=6)
# Named as a gauge of a task, so that the exporter forgets it after a day.
GAUGE = "airflow.task.measure_sent_timestamp_seconds"
METRIC = GAUGE.replace(".", "_")
_GAP_SECONDS = 0.7
_PATIENCE_SECONDS = 60


def sample(stack: Stack, *, count: int = 100) -> Samples:
    """Send ``count`` values and wait for each of them, or a later one, to be queried.

    Raises:
        MeasureError: a service does not run.
    """
    delays, lost = follow(
        send(stack, count=count, gap=_GAP_SECONDS),
        lambda moments: found(stack, stack.endpoints["prometheus"], moments),
        count=count,
        patience=_PATIENCE_SECONDS,
    )
    return Samples(way="StatsD event → PromQL", delays=delays, lost=lost, target=TARGET)


def send(stack: Stack, *, count: int, gap: float):
    """The lines of the sender in the scheduler's container, from where tasks send theirs."""
    return stack.run_inside("airflow-scheduler", "send_gauges.py", "statsd-exporter", 9125, GAUGE, count, gap)


def found(stack: Stack, prometheus: str, moments: Set[str]) -> set[str]:
    """Those of the moments that are not later than the one that a query shows."""
    answer = stack.session.get(f"{prometheus}/api/v1/query", params={"query": METRIC}, timeout=ANSWER_SECONDS)
    answer.raise_for_status()
    shown = max((float(series["value"][1]) for series in answer.json()["data"]["result"]), default=0.0)
    return {moment for moment in moments if float(moment) <= shown}
