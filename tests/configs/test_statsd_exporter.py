"""The StatsD exporter's mapping, judged by the exporter: it reads the file, then lines as Airflow sends them.

Decides names, labels, buckets and drops of this image set's exporter. Cannot decide which lines Airflow
really sends, nor that a gauge is forgotten after a day.
"""

import socket
import time
import urllib.request

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from configs import statsd_exporter
from configs.alerts import statsd_exporter as alerts
from configs.links import Links

USER = "65534:0"
MAPPING = "/etc/statsd-exporter/mapping.yml"
FLAGS = [f"--statsd.mapping-config={MAPPING}"]
LINKS = Links(stack="dev", airflow="http://airflow.example", prometheus="http://prometheus.example")
LAST = "airflow.last_line:1|g"
LINES = (
    "airflow.ti.finish,dag_id=a.b,task_id=t-1,state=failed:1|c",
    "airflow.task.duration,dag_id=a.b,task_id=t-1:1500|ms",
    "airflow.dagrun.duration.failed,dag_id=a.b,run_type=manual:90000|ms",
    "airflow.dagrun.dependency-check:3|ms",
    "airflow.ti.queued,dag_id=a.b,task_id=t-1,queue=default:2|g",
    "airflow.task.memory_peak_bytes,dag_id=a.b,task_id=t-1:1000|g",
    "airflow.task_live.memory_bytes,dag_id=a.b,task_id=t-1:900|g",
    "airflow.task_resources.memory_peak_bytes,dag_id=a.b,task_id=t-1:1000|g",
    "airflow.task_resources.cpu_time,dag_id=a.b,task_id=t-1:70|ms",
    "airflow.task_resources.read_bytes_total,dag_id=a.b,task_id=t-1:0|c",
    "airflow.task_resources.read_bytes_total,dag_id=a.b,task_id=t-1:4096|c",
    "airflow.pool.open_slots,pool_name=default_pool:7|g",
    "airflow.ml.drift_psi,model=m,feature=f:0.25|g",
    "airflow.ml.latency,model=m:200|ms",
    "airflow.dagrun.first_task_scheduling_delay,dag_id=a.b:200|ms",
    "airflow.dagrun.a.b.first_task_scheduling_delay:200|ms",
    "airflow.ti.finish.a.b.t-1.failed:1|c",
    "airflow.ti.start.a.b.t-1:1|c",
    "airflow.dag.a.b.t-1.duration:1500|ms",
    "airflow.dagrun.duration.failed.a.b:90000|ms",
    "airflow.pool.open_slots.default_pool:7|g",
    "airflow.operator_failures_BashOperator:1|c",
)
TASK = {"dag_id": "a.b", "task_id": "t-1"}


@pytest.fixture(scope="module")
def exporter(serve_in_image):
    """A running exporter that was sent ``LINES``."""
    files = {MAPPING: statsd_exporter.render()}
    server = serve_in_image("statsd-exporter", FLAGS, files, user=USER, ports=[9102, 9125])
    server.wait(server.url(9102, "/-/ready"))
    _send(server, *LINES, LAST)
    return server


def _send(server, *lines):
    with socket.create_connection(server.address(9125), timeout=10) as connection:
        connection.sendall("".join(f"{line}\n" for line in lines).encode())


@pytest.fixture(scope="module")
def page(exporter):
    """Read the exporter's metrics: name -> labels and values of the samples."""

    def read():
        found = {}
        with urllib.request.urlopen(exporter.url(9102, "/metrics"), timeout=10) as answer:
            for family in text_string_to_metric_families(answer.read().decode()):
                for sample in family.samples:
                    found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found

    return read


def _wait(read, condition, seconds):
    """The first metrics that fulfil the condition."""
    deadline = time.monotonic() + seconds
    while not condition(found := read()):
        assert time.monotonic() < deadline, sorted(found)
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def metrics(page):
    """All metrics, once the last line is in."""
    return _wait(page, lambda found: "airflow_last_line" in found, 10)


def test_the_exporter_accepts_the_file(run_in_image):
    files = {MAPPING: statsd_exporter.render()}
    verdict = run_in_image("statsd-exporter", [*FLAGS, "--check-config"], files, user=USER)
    assert verdict.returncode == 0, verdict.stderr.decode()


def test_the_exporter_would_refuse_a_wrong_file(run_in_image):
    files = {MAPPING: statsd_exporter.render() + "surplus: 1\n"}
    assert run_in_image("statsd-exporter", [*FLAGS, "--check-config"], files, user=USER).returncode != 0


def test_lines_become_metrics_with_their_tags_as_labels(metrics):
    assert metrics[
        "airflow_ti_finish_total" if "airflow_ti_finish_total" in metrics else "airflow_ti_finish"
    ] == [(TASK | {"state": "failed"}, 1)]
    assert metrics["airflow_ti_queued"] == [(TASK | {"queue": "default"}, 2)]
    assert metrics["airflow_task_memory_peak_bytes"] == [(TASK, 1000)]
    assert metrics["airflow_pool_open_slots"] == [({"pool_name": "default_pool"}, 7)]
    assert metrics["airflow_ml_drift_psi"] == [({"model": "m", "feature": "f"}, 0.25)]


def test_what_tasks_use_is_told_live_and_at_their_end(metrics):
    assert metrics["airflow_task_live_memory_bytes"] == [(TASK, 900)]
    assert metrics["airflow_task_resources_memory_peak_bytes"] == [(TASK, 1000)]
    assert metrics["airflow_task_resources_read_bytes_total"] == [(TASK, 4096)]
    assert metrics["airflow_task_resources_cpu_time_sum"] == [(TASK, 0.07)]
    assert (TASK | {"le": "0.1"}, 1) in metrics["airflow_task_resources_cpu_time_bucket"]


def test_timers_are_histograms_in_seconds(metrics):
    assert metrics["airflow_task_duration_sum"] == [(TASK, 1.5)]
    assert (TASK | {"le": "1"}, 0) in metrics["airflow_task_duration_bucket"]
    assert (TASK | {"le": "2.5"}, 1) in metrics["airflow_task_duration_bucket"]
    assert metrics["airflow_dagrun_duration_failed_count"] == [({"dag_id": "a.b", "run_type": "manual"}, 1)]
    assert metrics["airflow_dagrun_dependency_check_count"] == [({}, 1)]
    assert metrics["airflow_ml_latency_count"] == [({"model": "m"}, 1)]


def test_names_that_hold_an_id_are_dropped_and_their_tagged_twins_stay(metrics):
    assert metrics["airflow_dagrun_first_task_scheduling_delay_count"] == [({"dag_id": "a.b"}, 1)]
    airflow = {name for name in metrics if name.startswith("airflow_")}
    assert not [name for name in airflow if "a_b" in name or "Bash" in name or "default_pool" in name]


def test_no_line_was_lost(metrics):
    dropped = [
        value
        for labels, value in metrics["statsd_exporter_events_actions_total"]
        if labels["action"] == "drop"
    ]
    assert dropped == [7]
    for name in ("statsd_exporter_sample_errors_total", "statsd_exporter_events_conflict_total"):
        assert not any(value for _, value in metrics.get(name, []))


@pytest.mark.usefixtures("metrics")
def test_lines_that_are_lost_are_counted(exporter, page):
    """The counters that alerts ask for are born by the first such line."""
    _send(exporter, "airflow.no_value", "airflow.ti.finish,dag_id=a.b,task_id=t-1,state=failed:1|g")
    born = {"statsd_exporter_sample_errors_total", "statsd_exporter_events_conflict_total"}
    asked = " ".join(rule.expression for group in alerts.groups(LINKS) for rule in group.rules)
    assert all(name in asked for name in born)
    found = _wait(page, lambda found: born <= set(found), 10)
    assert {name: sum(value for _, value in found[name]) for name in born} == dict.fromkeys(born, 1)


@pytest.mark.slow
@pytest.mark.usefixtures("metrics")
def test_live_gauges_are_forgotten_within_a_minute_and_records_stay(page):
    found = _wait(page, lambda found: "airflow_task_live_memory_bytes" not in found, 60)
    assert found["airflow_task_resources_memory_peak_bytes"] == [(TASK, 1000)]


def test_only_gauges_of_tasks_are_forgotten():
    mappings = yaml.safe_load(statsd_exporter.render())["mappings"]
    assert {entry["match"]: entry["ttl"] for entry in mappings if "ttl" in entry} == {
        "airflow.ti.*": "24h",
        "airflow.task.*": "24h",
        "airflow.task_live.*": "30s",
        "airflow.task_resources.*": "24h",
    }
