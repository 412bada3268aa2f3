"""A run that fails, to see what a failure looks like: in metrics, logs and alerts.

Started by hand only, so that it never raises an alarm by itself. The parameter ``way`` says how it fails:

- ``exception``: the task ``divide`` raises one, with a cause; the default
- ``fail_exception``: it raises ``AirflowFailException``, after which Airflow does not try again
- ``sensor_timeout``: ``wait_for_rows``, a sensor, waits in vain for three seconds
- ``out_of_memory``: ``divide`` takes memory until the kernel kills it; the container's limit has to be there,
  and other processes in the container are spared
- ``killed``: ``divide`` gets SIGKILL, as from an operator or a machine that goes down

The last two leave the task no time to send anything: Airflow learns of it from the process's exit.
"""

import ctypes
import logging
import os
import signal
from pathlib import Path

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from ml_metrics import measured_step

log = logging.getLogger(__name__)

PIPELINE = "fails_on_purpose"
WAYS = ("exception", "fail_exception", "sensor_timeout", "out_of_memory", "killed")
NO_ACTION = "this task fails on purpose: no action is needed"

# Of the container, with control groups of version 2 and of version 1.
_MEMORY_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_CHUNK_BYTES = 32 * 2**20
_PR_SET_DUMPABLE = 4


def _way() -> str:
    return get_current_context()["params"]["way"]


@task
def prepare() -> int:
    """Succeed, so that the run has a good and a bad task."""
    with measured_step(PIPELINE, "prepare") as step:
        step.rows(ingested=3, rejected=0, out=3)
        log.info("prepared 3 rows")
    return 3


@task.sensor(poke_interval=1, timeout=3, mode="poke", retries=0)
def wait_for_rows() -> bool:
    """Go on at once, or never."""
    return _way() != "sensor_timeout"


@task(retries=0)
def divide(rows: int) -> float:
    """Fail in the way that the run was started with."""
    way = _way()
    with measured_step(PIPELINE, "divide"):
        if way == "fail_exception":
            raise AirflowFailException(NO_ACTION)
        if way == "out_of_memory":
            _take_all_memory()
        if way == "killed":
            log.warning("about to get SIGKILL; %s", NO_ACTION)
            os.kill(os.getpid(), signal.SIGKILL)
        log.warning("about to divide %d rows by zero", rows)
        try:
            return rows / 0
        except ZeroDivisionError as cause:
            raise RuntimeError(NO_ACTION) from cause


def _take_all_memory() -> None:
    limit = _memory_limit()
    _be_killed_first()
    log.warning("about to take more than %d MiB of memory; %s", limit // 2**20, NO_ACTION)
    # Written to, so that the pages are really there.
    hoard = [b"x" * _CHUNK_BYTES for _ in range(limit // _CHUNK_BYTES + 1)]
    message = f"{len(hoard) * _CHUNK_BYTES} bytes were to be had, with a limit of {limit}: is there swap?"
    raise RuntimeError(message)


def _memory_limit() -> int:
    """Bytes that the container may use; without a limit, the whole machine would suffer."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in map(Path, _MEMORY_LIMITS):
        text = path.read_text().strip() if path.exists() else "max"
        if text != "max" and int(text) < machine:
            return int(text)
    message = "this container has no memory limit: nothing was taken"
    raise RuntimeError(message)


def _be_killed_first() -> None:
    """Tell the kernel to take this process and no other, however large the others are."""
    # Airflow makes tasks undumpable, and then even their own files in /proc are root's.
    process = ctypes.CDLL(None, use_errno=True)
    process.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0)
    Path("/proc/self/oom_score_adj").write_text("1000")
    process.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


@dag(
    dag_id=PIPELINE,
    schedule=None,
    default_args={"owner": "ml-platform", "retries": 0},
    params={
        "way": Param(
            "exception",
            enum=list(WAYS),
            title="Way to fail",
            description="How the run fails; the DAG's documentation explains each.",
        )
    },
    tags=["example"],
    doc_md=__doc__,
)
def pipeline() -> None:
    """Wire the tasks."""
    rows = prepare()
    rows >> wait_for_rows() >> divide(rows)


pipeline()
