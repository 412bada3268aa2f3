"""Measures what each task uses: CPU, memory and storage of its process and all processes that it starts.

Airflow 3 has no such metric. This plugin is loaded by every Airflow process and works in those of tasks only,
from the moment when the task's own code begins to the one when it has ended, whether well, badly, skipped,
deferred or rescheduled. What is sent has the labels ``dag_id`` and ``task_id``; Prometheus has it with
``airflow_`` before and underscores for dots.

While the task runs, for at most half a minute after its end (the exporter forgets them):

=====================================  ==============================================================
``task_live.cpu_cores``                CPU seconds for each second, since the last sample
``task_live.memory_bytes``             resident now
``task_live.read_bytes``               read from storage since the task began
``task_live.written_bytes``            written to files since the task began
=====================================  ==============================================================

At its end, one record for each try, or for each part of one that is deferred or rescheduled:

=====================================  ==============================================================
``task_resources.cpu_time``            timer, seconds, so a histogram: how many tries, their sum (the bill
                                       of a day) and their spread
``task_resources.read_bytes_total``    counter, since sums over time are what one asks of volumes
``task_resources.written_bytes_total`` counter
``task_resources.cpu_cores_mean``      gauge, like the next two: sums of these would mean nothing, so it
                                       is the last try's, for a day
``task_resources.cpu_cores_peak``      of any two seconds; at least the mean
``task_resources.memory_peak_bytes``   resident; Airflow's own 120 to 150 MB are in it
=====================================  ==============================================================

Instances of one task that run at a time (mapped ones, several runs) share their labels: timer and counters
hold all of them, each gauge the one that was heard of last. A task shorter than the time between samples has
no live figures, and a true record, since the kernel keeps it. One that gets SIGKILL, for want of memory or
because somebody stopped it, has no record: its last live figures are in Prometheus. Work done elsewhere
(another container, a cluster) and processes that were detached are not seen. ``process_tree`` says how it is
counted.

The plugin also logs one line with the run's trace id, if the run is traced.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache

import process_tree
from airflow.listeners import hookimpl
from airflow.sdk.observability import stats
from airflow.sdk.plugins_manager import AirflowPlugin
from metric_tags import safe_tags
from opentelemetry import trace

log = logging.getLogger(__name__)

_SECONDS = 2.0
# Sampling takes at most this share of one core, however many processes there are: it is done less often then.
_MAX_SHARE = 0.01
# A sampler that hangs, in a name look-up say, is left alone after this.
_PATIENCE_SECONDS = 1.0
_LONGEST_NAME = "task_resources.written_bytes_total"


class Meter:
    """Measures this process from its making to :meth:`finish`; a thread takes samples in between.

    The thread is no danger to a task that forks: it is ended before each fork and started anew in the parent.
    """

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = safe_tags(_LONGEST_NAME, tags)
        self._first = self._latest = process_tree.usage()
        self._began = self._latest_at = time.monotonic()
        self._next_at = self._began + _SECONDS
        self._peak_cores = 0.0
        self._peak_memory = 0
        self._lock = threading.Lock()
        # Counters are born with zero, so that the first record is already a rise.
        self._count(read=0, written=0)
        self._start()

    def before_fork(self) -> None:
        """End the thread, and do what it had no time for; whoever forks next waits."""
        self._lock.acquire()
        self._end()
        if time.monotonic() >= self._next_at:
            self._tick()

    def after_fork(self) -> None:
        """Start it again."""
        try:
            self._start()
        finally:
            self._lock.release()

    def finish(self) -> None:
        """End the thread and send the record."""
        self._end()
        self._sample()
        used = max(0.0, self._latest.cpu_seconds - self._first.cpu_seconds)
        mean = used / (self._latest_at - self._began)
        stats.timing("task_resources.cpu_time", timedelta(seconds=used), tags=self._tags)
        self._count(**self._volumes())
        for name, value in {
            "cpu_cores_mean": round(mean, 3),
            "cpu_cores_peak": round(max(mean, self._peak_cores), 3),
            "memory_peak_bytes": max(self._peak_memory, process_tree.peak_memory()),
        }.items():
            stats.gauge(f"task_resources.{name}", value, tags=self._tags)

    def _start(self) -> None:
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), name=__name__, daemon=True)
        thread.start()
        self._ended, self._thread = ended, thread

    def _end(self) -> None:
        self._ended.set()
        self._thread.join(_PATIENCE_SECONDS)

    def _watch(self, ended: threading.Event) -> None:
        try:
            while not ended.wait(max(0.0, self._next_at - time.monotonic())):
                self._tick()
        except Exception:
            _complain()

    def _tick(self) -> None:
        began = time.thread_time()
        self._send_live(self._sample())
        spent = time.thread_time() - began
        self._next_at = time.monotonic() + max(_SECONDS, spent / _MAX_SHARE)

    def _sample(self) -> float:
        """Take the figures of now; return the cores used since the last sample."""
        usage, now = process_tree.usage(), time.monotonic()
        seconds = now - self._latest_at
        # A child that ends while it is looked at counts twice for a moment: no more than there is, then.
        cores = min((usage.cpu_seconds - self._latest.cpu_seconds) / seconds, len(os.sched_getaffinity(0)))
        if seconds >= _SECONDS / 2:
            self._peak_cores = max(self._peak_cores, cores)
        self._peak_memory = max(self._peak_memory, usage.memory_bytes)
        self._latest, self._latest_at = usage, now
        return max(0.0, cores)

    def _send_live(self, cores: float) -> None:
        volumes = {f"{name}_bytes": count for name, count in self._volumes().items()}
        live = {"cpu_cores": round(cores, 3), "memory_bytes": self._latest.memory_bytes, **volumes}
        for name, value in live.items():
            stats.gauge(f"task_live.{name}", value, tags=self._tags)

    def _volumes(self) -> dict[str, int]:
        # Less than before if a process has left the tree.
        return {
            "read": max(0, self._latest.read_bytes - self._first.read_bytes),
            "written": max(0, self._latest.written_bytes - self._first.written_bytes),
        }

    def _count(self, *, read: int, written: int) -> None:
        stats.incr("task_resources.read_bytes_total", read, tags=self._tags)
        stats.incr("task_resources.written_bytes_total", written, tags=self._tags)


class Listener:
    """What Airflow calls in a task's process. Nothing that goes wrong here reaches the task: it is logged."""

    def __init__(self) -> None:
        self._meter: Meter | None = None
        self._forks_are_watched = False

    @hookimpl
    def on_task_instance_running(self, task_instance) -> None:
        """Begin."""
        _shielded(_log_trace)
        _shielded(lambda: self._begin(task_instance.dag_id, task_instance.task_id))

    @hookimpl
    def on_task_instance_success(self) -> None:
        """End."""
        _shielded(self._finish)

    @hookimpl
    def on_task_instance_failed(self) -> None:
        """End; also called for a try that will be repeated."""
        _shielded(self._finish)

    @hookimpl
    def on_task_instance_skipped(self) -> None:
        """End."""
        _shielded(self._finish)

    @hookimpl
    def before_stopping(self) -> None:
        """End what no other hook has ended: a task that is deferred or rescheduled."""
        _shielded(self._finish)

    def _begin(self, dag_id: str, task_id: str) -> None:
        if not self._forks_are_watched:
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork,
                after_in_child=self._forget,
            )
            self._forks_are_watched = True
        self._meter = Meter({"dag_id": dag_id, "task_id": task_id})

    def _finish(self) -> None:
        meter, self._meter = self._meter, None
        if meter is not None:
            meter.finish()

    def _before_fork(self) -> None:
        if self._meter is not None:
            _shielded(self._meter.before_fork)

    def _after_fork(self) -> None:
        if self._meter is not None:
            _shielded(self._meter.after_fork)

    def _forget(self) -> None:
        self._meter = None


def _shielded(action: Callable[[], None]) -> None:
    try:
        action()
    except Exception:
        _complain()


@cache
def _complain() -> None:
    """Log the exception at hand, if it is this process's first."""
    log.exception("the resources of this task are not measured in full")


def _log_trace() -> None:
    span = trace.get_current_span().get_span_context()
    # Airflow names a trace even where none is taken; only a sampled one can be found.
    if span.is_valid and span.trace_flags.sampled:
        log.info("trace_id=%s", trace.format_trace_id(span.trace_id))


class TaskResources(AirflowPlugin):
    """The plugin."""

    name = "task_resources"
    listeners = (Listener(),)
