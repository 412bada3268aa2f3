"""Measures what the plugin costs a task, in a process that has loaded what a task's process has.

Prints ``RESULT {...}``: CPU and wall milliseconds of loading the plugin and of all hooks of a task that does
nothing, and the percentage of one core that sampling takes while such a task waits for 40 children.
"""

import json
import subprocess
import time
from contextlib import contextmanager
from types import SimpleNamespace

from airflow.sdk._shared.observability.metrics import stats
from airflow.sdk.execution_time import task_runner
from airflow.sdk.observability.metrics import stats_utils

_CHILDREN = 40
_SECONDS = 10


@contextmanager
def measured(costs, name):
    """Put the CPU and wall milliseconds of what is inside into ``costs``."""
    cpu, wall = time.process_time(), time.monotonic()
    yield
    costs[name] = [(time.process_time() - cpu) * 1000, (time.monotonic() - wall) * 1000]


def main():
    """Measure and print."""
    costs = {}
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=False)
    stats.incr("first")
    children = [subprocess.Popen(["sleep", "60"]) for _ in range(_CHILDREN)]
    try:
        with measured(costs, "load"):
            manager = task_runner.get_listener_manager()
        assert manager.has_listeners
        hook = manager.hook
        task = SimpleNamespace(dag_id="d", task_id="t")
        with measured(costs, "hooks"):
            hook.on_task_instance_running(previous_state=None, task_instance=task)
            hook.on_task_instance_success(previous_state=None, task_instance=task)
            hook.before_stopping(component=None)
        hook.on_task_instance_running(previous_state=None, task_instance=task)
        with measured(costs, "sampling"):
            time.sleep(_SECONDS)
        hook.on_task_instance_success(previous_state=None, task_instance=task)
    finally:
        for child in children:
            child.kill()
            child.wait()
    costs["percent"] = 100 * costs["sampling"][0] / costs["sampling"][1]
    print("RESULT " + json.dumps(costs))


if __name__ == "__main__":
    main()
