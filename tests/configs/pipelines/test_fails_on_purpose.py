"""The DAG that fails on purpose, in each of its ways, run by Airflow's own supervisor in the image.

Decides how each way looks to Airflow and in the metrics, and that the kernel takes no other process. Cannot
decide which alerts follow.
"""

import pytest

_DAG = "fails_on_purpose"
_ALL = ("prepare", "wait_for_rows", "divide")
_MEMORY = 700 * 2**20


@pytest.fixture
def fail(run_tasks):
    """Run tasks of the DAG in one way, in a container with little memory: what became of the last."""

    def run(way, *tasks):
        return run_tasks(_DAG, *tasks, file=f"{_DAG}.py", conf={"way": way}, memory=_MEMORY)[tasks[-1]]

    return run


def _errors(task):
    return [each["exc_type"] for line in task.log for each in line.get("error_detail", [])]


def test_by_default_a_task_raises_an_exception_with_a_cause(run_tasks):
    done = run_tasks(_DAG, *_ALL, file=f"{_DAG}.py")
    assert [task.state for task in done.values()] == ["success", "success", "failed"]
    assert _errors(done["divide"]) == ["RuntimeError", "ZeroDivisionError"]
    assert done["divide"].sent("ti_failures") == [1]
    assert len(done["divide"].sent("task_resources.cpu_time")) == 1


def test_an_exception_that_forbids_tries(fail):
    divide = fail("fail_exception", "prepare", "divide")
    assert (divide.code, divide.state) == (0, "failed")
    assert _errors(divide) == ["AirflowFailException"]


def test_a_sensor_times_out(fail):
    sensor = fail("sensor_timeout", "wait_for_rows")
    assert (sensor.code, sensor.state) == (0, "failed")
    assert _errors(sensor) == ["AirflowSensorTimeout"]


@pytest.mark.parametrize("way", ["killed", "out_of_memory"])
def test_a_killed_task_is_failed_and_sends_nothing_of_its_end(fail, way):
    divide = fail(way, "prepare", "divide")
    assert (divide.code, divide.state) == (-9, "failed")
    assert divide.sent("ti.start") == [1]
    assert not divide.sent("ti.finish")
    assert not divide.sent("task_resources.cpu_time")


def test_a_larger_process_in_the_same_container_is_spared(run_script):
    found = run_script("beside_a_giant.py", memory=_MEMORY)
    assert found == {"task": -9, "giant": None}
