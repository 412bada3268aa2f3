"""The example pipeline, normal and drifting, run by Airflow's own supervisor in the image that tasks run in.

Decides which metrics it sends and that its switch makes features drift that do not otherwise. Cannot decide
that an alert follows.
"""

import re

import pytest

_DAG = "breast_cancer"
_TASKS = ("ingest", "features", "train", "evaluate", "batch_predict")
_DRIFTING = {"mean_radius", "radius_error", "mean_texture", "texture_error", "worst_texture"}
_OF_A_FEATURE = re.compile(r"airflow\.ml\.drift_(psi|ks|ks_pvalue),(.*),feature=([^:]+):([^|]+)\|g")


@pytest.fixture(scope="module", params=[None, {"drift": True}], ids=["normal", "drifting"])
def run(request, run_tasks, pipelines_image):
    """One run, and whether it was to drift."""
    conf = request.param
    return run_tasks(_DAG, *_TASKS, file=f"{_DAG}.py", conf=conf, image=pipelines_image), bool(conf)


def _features(task):
    found = {}
    for line in task.statsd:
        if match := _OF_A_FEATURE.fullmatch(line):
            assert match[2] == f"pipeline={_DAG},step=batch_predict,model=logistic_regression"
            found.setdefault(match[3], {})[match[1]] = float(match[4])
    return found


def test_every_task_succeeds_and_tells_its_rows(run):
    tasks, _ = run
    assert {name: task.state for name, task in tasks.items()} == dict.fromkeys(_TASKS, "success")
    assert {name: task.sent("ml.rows_ingested") for name, task in tasks.items()} == {
        "ingest": [569],
        "features": [569],
        "train": [341],
        "evaluate": [114],
        "batch_predict": [114],
    }
    assert tasks["ingest"].sent("ml.rows_rejected") == [5]
    last = tasks["batch_predict"]
    assert last.sent("ml.rows_out") == last.sent("ml.predictions") == [114]
    assert len(last.sent("ml.serving_latency_seconds")) == 8
    assert all(task.sent("ml.last_success_timestamp") for task in tasks.values())


def test_features_drift_if_and_only_if_they_are_made_to(run):
    tasks, drifting = run
    features = _features(tasks["batch_predict"])
    assert len(features) > 20
    assert all(set(measures) == {"psi", "ks", "ks_pvalue"} for measures in features.values())
    drifted = {name for name, each in features.items() if each["psi"] > 0.2 and each["ks_pvalue"] < 0.01}
    assert drifted == (_DRIFTING if drifting else set())
    others = [each for name, each in features.items() if name not in drifted]
    assert max(each["psi"] for each in others) < 0.15
    assert min(each["ks_pvalue"] for each in others) > 0.05
    share = pytest.approx(len(drifted) / len(features))
    assert tasks["batch_predict"].sent("ml.drift_share") == [share]
    assert len(tasks["batch_predict"].sent("ml.drift_checked_timestamp")) == 1


def test_no_metric_is_refused_by_the_client(run):
    tasks, _ = run
    for task in tasks.values():
        assert "Invalid stat name" not in task.messages()
        assert "Dropping invalid tag" not in task.messages()
