"""The plugin that measures tasks, in tasks that use known amounts, run by Airflow's own supervisor.

Decides what is sent, that it is true within the tolerances below, that a plugin that breaks leaves tasks in
peace, and what it costs. Cannot decide that it reaches Prometheus, nor what it does under an executor that
starts tasks in another way.
"""

import re
from pathlib import Path

import pytest

_FILE = "uses_resources.py"
_DAGS = {_FILE: (Path(__file__).parent / "dags" / _FILE).read_text()}
_MEBIBYTE = 2**20
_TRACE = "0af7651916cd43dd8448eb211c80319c"
_TRACING = {"AIRFLOW__TRACES__OTEL_ON": "True", "OTEL_TRACES_EXPORTER": "console"}


@pytest.fixture(scope="module")
def done(run_tasks):
    """All tasks that are not about traces."""
    names = ("nothing", "long_work", "short_work", "forking_work", "skipped_work", "failed_work")
    names += ("rescheduled_work", "unmeasurable_work", "x" * 240)
    return run_tasks("uses_resources", *names, file=_FILE, dags=_DAGS)


def _last(task, metric):
    return task.sent(f"task_resources.{metric}")[-1]


def _seconds(task):
    """How long the task says that it took."""
    return float(re.search(r"^seconds: (.+)$", task.messages(), re.MULTILINE)[1])


def test_cpu_of_the_task_and_of_its_child_is_counted(done):
    used = _last(done["long_work"], "cpu_time") / 1000
    assert 3.0 <= used < 3.6
    mean, peak = (_last(done["long_work"], f"cpu_cores_{kind}") for kind in ("mean", "peak"))
    assert mean == pytest.approx(used / _seconds(done["long_work"]), rel=0.05)
    assert peak > 1.2 * mean


def test_peak_memory_is_what_the_task_took(done):
    taken = _last(done["long_work"], "memory_peak_bytes") - _last(done["nothing"], "memory_peak_bytes")
    assert 200 * _MEBIBYTE <= taken < 230 * _MEBIBYTE


def test_volumes_are_counted_once_and_born_with_zero(done):
    written = done["long_work"].sent("task_resources.written_bytes_total")
    read = done["long_work"].sent("task_resources.read_bytes_total")
    assert (written[0], len(written), read[0], len(read)) == (0, 2, 0, 2)
    assert 20 * _MEBIBYTE <= written[1] < 22 * _MEBIBYTE
    assert 20 * _MEBIBYTE <= read[1] < 40 * _MEBIBYTE


def test_live_gauges_show_a_running_task_only(done):
    live = done["long_work"].sent("task_live.memory_bytes")
    assert 2 <= len(live) <= _seconds(done["long_work"]) / 2
    idle = _last(done["nothing"], "memory_peak_bytes")
    assert 200 * _MEBIBYTE <= max(live) - idle < 250 * _MEBIBYTE
    peak = _last(done["long_work"], "cpu_cores_peak")
    assert max(done["long_work"].sent("task_live.cpu_cores")) == pytest.approx(peak)
    assert done["long_work"].sent("task_live.written_bytes")[-1] >= 20 * _MEBIBYTE
    assert not done["nothing"].sent("task_live.memory_bytes")


def test_a_task_shorter_than_a_sample_has_a_true_record(done):
    task = done["short_work"]
    assert 0.3 <= _last(task, "cpu_time") / 1000 < 0.7
    assert _last(task, "memory_peak_bytes") >= 300 * _MEBIBYTE


def test_a_task_may_fork_while_it_is_sampled(done):
    """A fork beside a thread can leave a lock behind that nobody opens."""
    task = done["forking_work"]
    assert task.state == "success", task.log
    assert len(task.sent("task_live.cpu_cores")) >= 2
    assert 2.0 <= _last(task, "cpu_time") / 1000 < 3


@pytest.mark.parametrize(
    ("name", "state"),
    [("skipped_work", "skipped"), ("failed_work", "failed"), ("rescheduled_work", "up_for_reschedule")],
)
def test_every_end_has_one_record(done, name, state):
    task = done[name]
    assert task.state == state
    times = task.sent("task_resources.cpu_time")
    assert len(times) == 1
    assert 100 <= times[0] < 300


def test_a_broken_plugin_is_logged_once_and_does_no_harm(done):
    task = done["unmeasurable_work"]
    assert (task.code, task.state) == (0, "success")
    assert task.messages().count("the resources of this task are not measured in full") == 1
    assert not task.sent("task_resources.cpu_time")


def test_ids_that_are_too_long_to_be_sent_do_no_harm(done):
    task = done["x" * 240]
    assert task.state == "success"
    assert task.messages().count("the resources of this task are not measured in full") == 1


def test_every_line_has_the_ids_as_labels(done):
    lines = [line for line in done["long_work"].statsd if ".task_live." in line or ".task_resources." in line]
    assert lines
    assert all(",dag_id=uses_resources,task_id=long_work:" in line for line in lines)


@pytest.mark.parametrize(("flags", "logged"), [("01", 1), ("00", 0)])
def test_the_trace_of_a_sampled_run_is_logged(run_tasks, flags, logged):
    carrier = {"traceparent": f"00-{_TRACE}-b7ad6b7169203331-{flags}"}
    options = {"file": _FILE, "dags": _DAGS, "environment": _TRACING, "carrier": carrier}
    task = run_tasks("uses_resources", "nothing", **options)["nothing"]
    assert task.messages().count(f"trace_id={_TRACE}") == logged


def test_without_traces_none_is_logged(done):
    assert "trace_id" not in done["nothing"].messages()


def test_the_plugin_costs_little(run_script):
    """CPU is compared, since waiting for the processor depends on who else uses the machine."""
    costs = run_script("plugin_cost.py")
    print("milliseconds of CPU and of waiting, percent of a core:", costs)
    assert costs["load"][0] + costs["hooks"][0] < 50
    assert costs["percent"] < 2
