"""The DAG that fails on purpose, in each of its ways, run by Airflow's own supervisor in the image.

Decides how each way looks to Airflow and in the metrics, and that the kernel takes no other process. Cannot
decide which alerts follow.
"""

import pytest

_DAG = "fails_on_purpose"
# The ways in which the task itself tells of its failure.
_TASKS = {
    "default": ("prepare", "wait_for_rows", "divide"),
    "fail_exception": ("prepare", "divide"),
    "sensor_timeout": ("wait_for_rows",),
}
_MEMORY = 700 * 2**20


@pytest.fixture(scope="module")
def done(run_plans):
    """What became of the tasks of a run in each way that leaves the container alive."""
    plans = [
        {"dag_id": _DAG, "run_id": way, "file": f"{_DAG}.py", "tasks": tasks}
        | {"conf": {} if way == "default" else {"way": way}}
        for way, tasks in _TASKS.items()
    ]
    return dict(zip(_TASKS, run_plans(*plans), strict=True))


def _errors(task):
    return [each["exc_type"] for line in task.log for each in line.get("error_detail", [])]


def test_by_default_a_task_raises_an_exception_with_a_cause(done):
    tasks = done["default"]
    assert [task.state for task in tasks.values()] == ["success", "success", "failed"]
    assert _errors(tasks["divide"]) == ["RuntimeError", "ZeroDivisionError"]
    assert tasks["divide"].sent("ti_failures") == [1]
    assert len(tasks["divide"].sent("task_resources.cpu_time")) == 1


def test_an_exception_that_forbids_tries(done):
    divide = done["fail_exception"]["divide"]
    assert (divide.code, divide.state) == (0, "failed")
    assert _errors(divide) == ["AirflowFailException"]


def test_a_sensor_times_out(done):
    sensor = done["sensor_timeout"]["wait_for_rows"]
    assert (sensor.code, sensor.state) == (0, "failed")
    assert _errors(sensor) == ["AirflowSensorTimeout"]


@pytest.mark.parametrize("way", ["killed", "out_of_memory"])
def test_a_killed_task_is_failed_and_sends_nothing_of_its_end(run_tasks, way):
    options = {"file": f"{_DAG}.py", "conf": {"way": way}, "memory": _MEMORY}
    divide = run_tasks(_DAG, "prepare", "divide", **options)["divide"]
    assert (divide.code, divide.state) == (-9, "failed")
    assert divide.sent("ti.start") == [1]
    assert not divide.sent("ti.finish")
    assert not divide.sent("task_resources.cpu_time")


def test_a_larger_process_in_the_same_container_is_spared(run_script):
    found = run_script("beside_a_giant.py", memory=_MEMORY)
    assert found == {"task": -9, "giant": None}
