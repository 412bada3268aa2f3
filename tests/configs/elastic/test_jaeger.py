"""Whether a real Jaeger takes what ``configs.jaeger`` tells it, and finds what Airflow is told to send.

Decides: the configuration is valid, its user's rights suffice, spans are found by dag, run, task and try,
soon and after an outage of the store, and Airflow's own set-up sends to it and samples as told. Cannot
decide: which spans Airflow makes of a run, nor what the web interface shows.
"""

import json
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import yaml
from conftest import SECRETS, STACK, LogStore
from containers import address, execute, run_to_end, wait_for
from docker.models.containers import Container
from prometheus_client.parser import text_string_to_metric_families

from configs import airflow_traces, elasticsearch, jaeger
from configs.alerts.jaeger import groups
from configs.links import Links

MEMORY = 256 * 2**20
KEEP_DAYS = 7
PREFIX = jaeger.index_prefix(STACK)
LINKS = Links(stack=STACK, airflow="", prometheus="")
PASSWORD = {"jaeger_password": SECRETS["jaeger_password"]}

RUN = "manual__2026-01-31T06:00:00.123456+00:00"
_SOON = 3.0
_WAITING = "otelcol_exporter_queue_size"
_FAILED = "jaeger_storage_bulk_index_latency_err_seconds_count"
_FOUND_SECONDS = 60
_POLL_SECONDS = 0.05

_AIRFLOW_SENDS = """
import airflow.settings
from airflow._shared.observability import traces
from opentelemetry import propagate, trace
airflow.settings.initialize()
carriers = [traces.new_dagrun_trace_carrier() for _ in range(2000)]
share = sum(carrier["traceparent"].endswith("-01") for carrier in carriers) / len(carriers)
sampled = next(carrier for carrier in carriers if carrier["traceparent"].endswith("-01"))
dropped = next(carrier for carrier in carriers if carrier["traceparent"].endswith("-00"))
for carrier in (sampled, dropped):
    with trace.get_tracer("test").start_as_current_span("worker.test", context=propagate.extract(carrier)):
        pass
trace.get_tracer_provider().force_flush()
print("RESULT", share, sampled["traceparent"].split("-")[1], dropped["traceparent"].split("-")[1])
"""


class Traces:
    """The running Jaeger: spans go in by OTLP, traces come out of its API."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.url = address(container, jaeger.QUERY_PORT)

    def send(self, name: str = "task_run.train", **tags: str | int) -> str:
        """Send one span that has just ended; its trace's id."""
        trace, now = uuid.uuid4().hex, time.time_ns()
        attributes = [{"key": f"airflow.{key}", "value": _value(value)} for key, value in tags.items()]
        span = {
            "traceId": trace,
            "spanId": trace[:16],
            "name": name,
            "kind": 1,
            "startTimeUnixNano": str(now - 10**6),
            "endTimeUnixNano": str(now),
            "attributes": attributes,
        }
        resource = {"attributes": [{"key": "service.name", "value": {"stringValue": airflow_traces.SERVICE}}]}
        body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}
        code, said = execute(
            self.container,
            [
                *("wget", "-q", "-O", "-", "--header", "Content-Type: application/json"),
                *("--post-data", json.dumps(body), f"http://localhost:{jaeger.OTLP_PORT}/v1/traces"),
            ],
        )
        assert code == 0, said
        return trace

    def metrics(self) -> dict[str, float]:
        """The metrics page: each name with the sum of its samples."""
        page = ("wget", "-q", "-O", "-", f"http://localhost:{jaeger.METRICS_PORT}/metrics")
        code, text = execute(self.container, page)
        assert code == 0, text
        found: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                found[sample.name] = found.get(sample.name, 0) + sample.value
        return found

    def trace(self, identity: str) -> list[dict[str, Any]]:
        """The spans of a trace; none when it is not found."""
        answer = requests.get(f"{self.url}/api/traces/{identity}", timeout=30)
        assert answer.status_code in (200, 404), answer.text
        return answer.json()["data"][0]["spans"] if answer.ok else []

    def await_trace(self, identity: str) -> float:
        """Wait until a trace is found; the seconds that it took."""
        begun = time.monotonic()
        while not self.trace(identity):
            assert time.monotonic() - begun < _FOUND_SECONDS, f"no trace {identity}"
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - begun

    def search(self, **tags: str) -> set[str]:
        """Ids of the traces that have a span with all these tags."""
        asked = {"service": airflow_traces.SERVICE, "limit": 1000}
        asked["tag"] = [f"airflow.{key}:{value}" for key, value in tags.items()]
        answer = requests.get(f"{self.url}/api/traces", params=asked, timeout=30)
        answer.raise_for_status()
        return {found["traceID"] for found in answer.json()["data"]}


def _value(value: str | int) -> dict[str, str]:
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}


@pytest.fixture(scope="module")
def traces(log_store: LogStore) -> Iterator[Traces]:
    """Jaeger as the platform makes it, with the rights that the set-up step gives."""
    files = {
        "/etc/jaeger/config.yaml": _configuration(),
        "/etc/jaeger/ui.json": jaeger.render_ui(airflow="http://airflow.example"),
    }
    container = log_store.network.start(
        "jaeger",
        user="10001:0",
        memory=MEMORY,
        command=["--config", "/etc/jaeger/config.yaml"],
        environment=jaeger.environment(memory_bytes=MEMORY),
        files=files,
        secrets=PASSWORD,
        tmpfs={"/tmp": "size=16m"},
        port=jaeger.QUERY_PORT,
    )
    wait_for("Jaeger's own health", lambda: _healthy(container))
    started = Traces(container)
    warm = started.send("the first span, with which its index is made")
    started.await_trace(warm)
    yield started
    container.stop(timeout=10)


def _configuration() -> str:
    return jaeger.render(
        stack=STACK,
        password_file="/run/secrets/jaeger_password",
        memory_bytes=MEMORY,
        retention_seconds=KEEP_DAYS * 86400,
        ui_file="/etc/jaeger/ui.json",
    )


def _healthy(container: Container) -> bool:
    container.reload()
    assert container.status == "running", container.logs(tail=20).decode(errors="replace")
    return execute(container, jaeger.PROBE)[0] == 0


def test_a_span_is_found_by_dag_run_task_and_try(traces):
    wanted = {"dag_id": "shop", "dag_run.run_id": RUN, "task_id": "train", "task_instance.try_number": 2}
    others = [
        {"dag_id": "shops"},
        {"dag_run.run_id": RUN.replace("+", "0")},
        {"task_id": "training"},
        {"task_instance.try_number": 12},
    ]
    found = traces.send(**wanted)
    for other in others:
        traces.await_trace(traces.send(**wanted | other))
    quoted = {key: f'"{value}"' for key, value in wanted.items()}
    assert traces.search(**quoted) == {found}


def test_a_value_without_quotes_is_a_regular_expression(traces):
    """What the documentation says of Jaeger, and why links to runs quote their ids."""
    run = f"{RUN}-regular"
    found = traces.send(**{"dag_run.run_id": run})
    traces.await_trace(found)
    assert traces.search(**{"dag_run.run_id": f'"{run}"'}) == {found}
    assert traces.search(**{"dag_run.run_id": run}) == set()
    assert traces.search(**{"dag_run.run_id": run.replace("+", ".")}) == {found}


def test_a_finished_span_is_found_soon(traces):
    """The quickest of ten is judged: others may have waited for a busy machine, but none can be too quick."""
    assert min(traces.await_trace(traces.send()) for _ in range(10)) < _SOON


def test_spans_of_an_outage_are_found_after_it(traces, log_store):
    log_store.container.pause()
    try:
        sent = [traces.send() for _ in range(20)]
        wait_for("spans in the queue", lambda: traces.metrics().get(_WAITING, 0) > 0)
    finally:
        log_store.container.unpause()
    for identity in sent:
        traces.await_trace(identity)


def test_a_write_that_fails_is_counted_and_repeated(traces, log_store):
    """The counter that an alert asks for is born by it; a store that hangs does not fail, it delays."""
    path, right = f"/_security/user/{elasticsearch.JAEGER}/_password", SECRETS["jaeger_password"]
    assert log_store.ask("POST", path, {"password": f"{right}-changed"}).ok
    try:
        sent = traces.send()
        wait_for("failed write", lambda: traces.metrics().get(_FAILED, 0) > 0)
    finally:
        assert log_store.ask("POST", path, {"password": right}).ok
    traces.await_trace(sent)


@pytest.mark.usefixtures("traces")
def test_a_lone_node_keeps_its_health(log_store):
    indices = log_store.ask("GET", f"/_cat/indices/{PREFIX}-*?format=json").json()
    assert {index["index"].rpartition(f"-{datetime.now(UTC):%Y}")[0] for index in indices} == {
        f"{PREFIX}-jaeger-span",
        f"{PREFIX}-jaeger-service",
    }
    assert {(index["health"], index["pri"], index["rep"]) for index in indices} == {("green", "1", "0")}


def test_jaeger_keeps_no_trace_of_itself(traces):
    traces.search(dag_id="any")
    services = requests.get(f"{traces.url}/api/services", timeout=30).json()["data"]
    assert "jaeger" not in services
    assert airflow_traces.SERVICE in services


def test_the_metrics_page_has_what_alerts_ask_for(traces):
    there = set(traces.metrics())
    asked = {name for group in groups(LINKS) for rule in group.rules for name in _metrics(rule.expression)}
    assert len(asked) >= 6
    assert asked - there <= {_FAILED}, there


def _metrics(expression: str) -> list[str]:
    return re.findall(r"(?:otelcol|jaeger)_\w+", expression)


def test_airflows_own_set_up_sends_and_samples_as_told(traces, log_store):
    sender = log_store.network.start(
        "airflow",
        alias="sender",
        user="50000:0",
        memory=512 * 2**20,
        entrypoint=["python", "/opt/send.py"],
        environment=airflow_traces.environment(sample_percent=25, stack=STACK),
        files={"/opt/send.py": _AIRFLOW_SENDS},
    )
    code, log = run_to_end(sender)
    assert code == 0, log
    share, sampled, dropped = log.rpartition("RESULT ")[2].split()
    assert 0.2 < float(share) < 0.3
    traces.await_trace(sampled)
    assert not traces.trace(dropped)


def test_the_limits_follow_from_the_settings():
    text = jaeger.render(
        stack="dev",
        password_file="/p",
        memory_bytes=MEMORY,
        retention_seconds=KEEP_DAYS * 86400,
        ui_file="/u",
    )
    told = yaml.safe_load(text)
    store = told["extensions"]["jaeger_storage"]["backends"]["elasticsearch"]["elasticsearch"]
    assert store["max_span_age"] == f"{(KEEP_DAYS + 1) * 86400}s"
    assert store["auth"]["basic"]["username"] == elasticsearch.JAEGER
    assert told["exporters"]["jaeger_storage_exporter"]["queue"]["queue_size"] < MEMORY / 20
