"""A run that fails, to see what a failure looks like: in metrics, logs and, once there are any, in alerts.

Started by hand only, so that it never raises an alarm by itself.
"""

import logging

from airflow.sdk import dag, task
from ml_metrics import measured_step

log = logging.getLogger(__name__)

PIPELINE = "fails_on_purpose"


@task
def prepare() -> int:
    """Succeed, so that the run has a good and a bad task."""
    with measured_step(PIPELINE, "prepare") as step:
        step.rows(ingested=3, rejected=0)
        log.info("prepared 3 rows")
    return 3


@task(retries=0)
def divide(rows: int) -> float:
    """Fail with an exception that carries a cause, as a real one would."""
    with measured_step(PIPELINE, "divide"):
        log.warning("about to divide %d rows by zero", rows)
        try:
            return rows / 0
        except ZeroDivisionError as cause:
            message = "this task fails on purpose: no action is needed"
            raise RuntimeError(message) from cause


@dag(
    dag_id=PIPELINE,
    schedule=None,
    default_args={"owner": "ml-platform", "retries": 0},
    tags=["example"],
    doc_md=__doc__,
)
def pipeline() -> None:
    """Wire the tasks."""
    divide(prepare())


pipeline()
