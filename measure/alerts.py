"""From the end of a task that fails to the message about it at a webhook."""

import random
import time

from measure.airflow import Airflow
from measure.receiver import Receiver
from measure.sampling import Samples, Target
from measure.stack import Stack

TARGET = Target(median=7.5, p95=12)
PATH = "/alerts"
_DAG, _TASK = "fails_on_purpose", "divide"
_PATIENCE_SECONDS = 180
_LONGEST_PAUSE_SECONDS = 5


def sample(stack: Stack, receiver: Receiver, *, count: int = 30) -> Samples:
    """Let the DAG fail ``count`` times, one run after the other, and wait for the message about each run.

    The runs are deleted afterwards, so that none of the alerts stays.

    Raises:
        MeasureError: Airflow refuses, or a run does not fail.
    """
    airflow = Airflow(stack)
    delays, lost, runs = [], 0, []
    try:
        for _ in range(count):
            run = airflow.trigger(_DAG)
            runs.append(run)
            ended = airflow.end_of_failed_task(_DAG, run, _TASK)
            arrived = receiver.wait(PATH, run, seconds=_PATIENCE_SECONDS)
            if arrived is None:
                lost += 1
            else:
                delays.append(arrived - ended)
            # So that no run falls into step with the scrapes.
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))
    finally:
        for run in runs:
            # One that still runs would be left.
            airflow.end_of_run(_DAG, run)
            airflow.delete_run(_DAG, run)
    return Samples(way="failed task → webhook", delays=tuple(delays), lost=lost, target=TARGET)
