"""The helpers of the DAG folder: the metrics that steps send, and the validation of rows.

A recorder stands in for Airflow's stats module. These tests decide names, labels and when something is sent;
they cannot decide that it reaches Prometheus, which the end-to-end tests do.
"""

import importlib
import math
import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from configs import airflow

_INCLUDE = Path(airflow.__file__).parent.parent / "pipelines" / "include"


class Recorder(ModuleType):
    """Remembers what would have been sent."""

    def __init__(self) -> None:
        super().__init__("stats")
        self.sent: dict[str, object] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.all: list[tuple[str, object, dict[str, str]]] = []

    def gauge(self, stat, value, *, tags):
        self.sent[stat], self.tags[stat] = value, tags
        self.all.append((stat, value, tags))

    timing = gauge


@pytest.fixture
def stats():
    return Recorder()


@pytest.fixture
def ml_metrics(stats, monkeypatch):
    package = ModuleType("airflow.sdk.observability")
    package.stats = stats
    for name in ("airflow", "airflow.sdk"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, package.__name__, package)
    monkeypatch.syspath_prepend(_INCLUDE)
    monkeypatch.delitem(sys.modules, "ml_metrics", raising=False)
    yield importlib.import_module("ml_metrics")
    sys.modules.pop("ml_metrics", None)


@pytest.fixture
def metric_tags(monkeypatch):
    monkeypatch.syspath_prepend(_INCLUDE)
    return importlib.import_module("metric_tags")


@pytest.fixture
def measurements(monkeypatch):
    monkeypatch.syspath_prepend(_INCLUDE)
    return importlib.import_module("measurements")


def test_a_good_step_sends_its_duration_and_the_time_of_its_success(ml_metrics, stats):
    with ml_metrics.measured_step("churn", "train"):
        pass
    assert isinstance(stats.sent["ml.step_duration"], timedelta)
    assert stats.sent["ml.last_success_timestamp"] > 1_700_000_000
    assert stats.tags["ml.step_duration"] == {"pipeline": "churn", "step": "train"}


def test_a_failing_step_sends_its_duration_only(ml_metrics, stats):
    with pytest.raises(KeyError), ml_metrics.measured_step("churn", "train"):
        raise KeyError("x")
    assert list(stats.sent) == ["ml.step_duration"]


def test_rows_and_scores(ml_metrics, stats):
    step = ml_metrics.Step("churn", "ingest")
    step.rows(ingested=90, rejected=10)
    step.score("auc", 0.9, model="trees")
    assert stats.sent == {"ml.rows_ingested": 90, "ml.rows_rejected": 10, "ml.train_auc": 0.9}
    assert stats.tags["ml.train_auc"]["model"] == "trees"
    step.rows(ingested=90, rejected=10, out=0)
    assert stats.sent["ml.rows_out"] == 0


def _measures(*, drifted):
    return SimpleNamespace(psi=0.3, ks=0.4, ks_pvalue=0.001, drifted=drifted)


def test_drift_is_sent_for_each_feature_and_as_a_share(ml_metrics, stats):
    found = {"mean radius": _measures(drifted=True), "age": _measures(drifted=False)}
    ml_metrics.Step("churn", "predict").drift(found, model="trees")
    labels = {"pipeline": "churn", "step": "predict", "model": "trees"}
    for name, value in {"psi": 0.3, "ks": 0.4, "ks_pvalue": 0.001}.items():
        sent = [each for each in stats.all if each[0] == f"ml.drift_{name}"]
        assert sent == [
            (f"ml.drift_{name}", value, labels | {"feature": feature}) for feature in ("mean_radius", "age")
        ]
    assert stats.sent["ml.drift_share"] == 0.5
    assert stats.tags["ml.drift_share"] == stats.tags["ml.drift_checked_timestamp"] == labels
    assert stats.sent["ml.drift_checked_timestamp"] > 1_700_000_000


def test_a_comparison_of_too_few_rows_sends_nothing_and_says_so(ml_metrics, stats, caplog):
    ml_metrics.Step("churn", "predict").drift({}, model="trees")
    assert stats.sent == {}
    assert "too few rows" in caplog.text


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_what_is_no_number_is_not_sent(ml_metrics, stats, caplog, value):
    ml_metrics.Step("churn", "train").score("loss", value, model="trees")
    assert stats.sent == {}
    assert "loss" in caplog.text


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("a b", "a_b"),
        ("2026-11-23T12:00:00+00:00", "2026-11-23T12_00_00_00_00"),
        ("x,y=z", "x_y_z"),
        ("é", "_"),
        ("", "none"),
        ("v1.2/a-b_c", "v1.2/a-b_c"),
    ],
)
def test_label_values_survive_the_wire(metric_tags, given, sent):
    assert metric_tags.tag_value(given) == sent


@pytest.mark.parametrize("name", ["", "Rows", "rows-in", "rows.in", "1st", "a:b"])
def test_a_name_that_prometheus_would_not_get_is_refused(ml_metrics, name):
    with pytest.raises(ValueError, match="metric name"):
        ml_metrics.metric_name(name)


def test_a_metric_that_the_client_would_drop_is_refused(ml_metrics):
    with pytest.raises(ValueError, match="250"):
        ml_metrics.Step("churn", "train").gauge("rows", 1, note="x" * 250)


def test_every_malformed_row_is_rejected_for_a_reason_of_its_own(measurements):
    row = {"radius": 1.0, "texture": 2.0, measurements.LABEL: 1}
    features = ["radius", "texture"]
    rows = [row, *measurements.malformed(row, features)]
    valid, rejected = measurements.split_valid(rows, features)
    assert valid == [row]
    assert [number for number, _ in rejected] == [1, 2, 3, 4, 5]
    assert len({reason for _, reason in rejected}) == 5


def test_a_wrong_scale_changes_sizes_and_textures_and_no_shapes(measurements):
    features = ["mean radius", "worst area", "texture error", "mean symmetry", "worst concave points"]
    assert measurements.miscalibration(features, 2.0) == [2, 4, 2, 1, 1]


def test_a_truth_value_is_no_measurement(measurements):
    assert "not a number" in measurements.complaint({"radius": True, measurements.LABEL: 1}, ["radius"])
