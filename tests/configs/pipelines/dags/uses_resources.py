"""Tasks that use known amounts of CPU, memory and storage; for the tests of the plugin that measures them."""

import multiprocessing
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowRescheduleException, AirflowSkipException

MEBIBYTE = 2**20
_FILE = Path("/opt/airflow/data/volume")
_CHILD = """
import sys, time
kept = b"x" * (int(sys.argv[1]) << 20)
while time.process_time() < float(sys.argv[2]): pass
"""
_beside_forks: list[list[str]] = []

# Called after what is registered later, as the plugin's.
os.register_at_fork(before=lambda: _beside_forks.append([each.name for each in threading.enumerate()]))


def _burn(seconds: float) -> None:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


def _child(mebibytes: int, cpu_seconds: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", _CHILD, str(mebibytes), str(cpu_seconds)])


def _volume(mebibytes: int) -> None:
    """Write a file to storage, and read it from there and not from the page cache."""
    with _FILE.open("wb") as file:
        file.write(b"x" * (mebibytes * MEBIBYTE))
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert len(_FILE.read_bytes()) == mebibytes * MEBIBYTE


@task
def nothing() -> None:
    """Do nothing."""


@task
def long_work() -> None:
    """Use 1 s of CPU and 200 MiB here, 2 s of CPU in a child, and 20 MiB of storage, then rest for 5 s."""
    began = time.monotonic()
    child = _child(1, 2.0)
    kept = b"x" * (200 * MEBIBYTE)
    _burn(1.0)
    child.wait()
    _volume(20)
    time.sleep(5)
    assert kept
    print(f"seconds: {time.monotonic() - began:.3f}")


@task
def short_work() -> None:
    """Use 0.3 s of CPU and 300 MiB in a child; on an idle machine that ends before the first sample."""
    _child(300, 0.3).wait()


@task
def forking_work() -> None:
    """Fork twenty times in at least 5 s, with 0.1 s of CPU in each child; fail if a thread is there then."""
    ends = time.monotonic() + 5
    context = multiprocessing.get_context("fork")
    for _ in range(20):
        process = context.Process(target=_burn, args=(0.1,))
        process.start()
        process.join()
    time.sleep(max(0.0, ends - time.monotonic()))
    assert _beside_forks == [["MainThread"]] * 20


@task
def skipped_work() -> None:
    """Skip itself."""
    _burn(0.1)
    raise AirflowSkipException


@task
def failed_work() -> None:
    """Fail."""
    _burn(0.1)
    raise RuntimeError("on purpose")


@task
def rescheduled_work() -> None:
    """Ask to be called again."""
    _burn(0.1)
    raise AirflowRescheduleException(datetime.now(tz=UTC))


@task
def unmeasurable_work() -> None:
    """Break what measures it, and go on for 5 s."""
    import process_tree

    def broken() -> None:
        raise OSError("the plugin was broken by the test")

    process_tree.usage = broken
    time.sleep(5)


@dag(schedule=None)
def uses_resources() -> None:
    """Any of them can be run alone."""
    nothing()
    long_work()
    short_work()
    forking_work()
    skipped_work()
    failed_work()
    rescheduled_work()
    unmeasurable_work()
    task(task_id="x" * 240)(nothing.function)()


uses_resources()
