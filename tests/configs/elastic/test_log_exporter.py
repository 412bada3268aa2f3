"""Whether the log exporter tells the truth about real Filebeats and a real Elasticsearch, well or not.

Decides: canaries go through both Filebeats and leave nothing behind, what is down shows as down and spoils
nothing else, all that the alerts ask for is on the page, and no DAG can be taken for a canary. Cannot decide:
delays of a loaded machine. The canaries are sent more often than the platform sends them.
"""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import requests
from conftest import SECRETS, STACK, LogStore
from containers import Network, address, execute, network, run_to_end, wait_for
from docker.models.containers import Container
from docker.models.volumes import Volume
from docker.types import LogConfig
from prometheus_client.parser import text_string_to_metric_families

from configs import filebeat, filebeat_containers, log_exporter
from configs.alerts import filebeat as filebeat_alerts
from configs.alerts import log_shipping as log_shipping_alerts
from configs.links import Links
from configs.versions import ImageSet

_LOGS = "/opt/airflow/logs"
_CONTAINERS = "/var/lib/docker/containers"
_CONFIG = "/usr/share/filebeat/filebeat.yml"
_EXPORTERS_CONFIG = "/opt/exporters/config.json"
_MEMORY = 192 * 2**20
_INTERVAL = 4
_BOTH = {"filebeat", "filebeat-containers"}
_TASK, _CONTAINER = {"stream": "task"}, {"stream": "container"}


@dataclass
class Shipping:
    """The exporter beside the two Filebeats."""

    exporter: Container
    filebeat: Container

    def page(self) -> dict[str, dict[frozenset, float]]:
        """The metrics page: sample name -> labels -> value."""
        answer = requests.get(f"{address(self.exporter, log_exporter.PORT)}/metrics", timeout=5)
        answer.raise_for_status()
        found: dict[str, dict[frozenset, float]] = {}
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                found.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
        return found

    def value(self, name: str, labels: dict[str, str]) -> float:
        """A sample's value."""
        return self.page()[name][frozenset(labels.items())]

    def found(self, stream: dict[str, str]) -> float:
        """How many canaries have arrived."""
        return self.value("log_shipping_delay_seconds_count", stream)

    def failures(self, stream: dict[str, str], reason: str) -> float:
        """How many have failed for that reason."""
        return self.value("log_canary_failures_total", stream | {"reason": reason})


@contextmanager
def _volume(on: Network) -> Iterator[Volume]:
    made = on.engine.volumes.create(f"test-log-exporter-{uuid.uuid4().hex[:8]}")
    try:
        yield made
    finally:
        made.remove()


def _start_exporter(on: Network, volume: Volume) -> Container:
    files = log_exporter.files(
        stack=STACK, logs_path=_LOGS, password_file="/run/secrets/log_reader_password", containers=True
    )
    config = json.loads(files[_EXPORTERS_CONFIG]) | {"interval_seconds": _INTERVAL}
    return on.start(
        "airflow",
        alias="log-exporter",
        user="50000:0",
        entrypoint=log_exporter.COMMAND,
        files=files | {_EXPORTERS_CONFIG: json.dumps(config)},
        secrets={"log_reader_password": SECRETS["log_reader_password"]},
        volumes={volume.name: {"bind": _LOGS, "mode": "rw"}},
        log_config=LogConfig(type=LogConfig.types.JSON, config={"tag": f"{STACK}-log-exporter"}),
        port=log_exporter.PORT,
    )


def _start_filebeat(on: Network, service: str, config: str, *, user: str, logs: tuple[str, str]) -> Container:
    source, path = logs
    return on.start(
        "filebeat",
        alias=service,
        user=user,
        memory=_MEMORY,
        environment=filebeat.environment(memory_bytes=_MEMORY),
        entrypoint=["filebeat"],
        command=filebeat.command(_CONFIG, "/run/secrets/filebeat.yml"),
        files={_CONFIG: config},
        secrets={"filebeat.yml": filebeat.render_secret(SECRETS["log_writer_password"])},
        volumes={source: {"bind": path, "mode": "ro"}},
    )


@pytest.fixture(scope="module")
def shipping(log_store: LogStore) -> Iterator[Shipping]:
    """A running exporter, and the Filebeats that ship what it writes."""
    on = log_store.network
    root = on.engine.info()["DockerRootDir"]
    with _volume(on) as volume, on.cleared():
        yield _start_all(on, volume, f"{root}/containers")


def _start_all(on: Network, volume: Volume, containers: str) -> Shipping:
    exporter = _start_exporter(on, volume)
    config = filebeat.render(stack=STACK, logs_path=_LOGS)
    tasks = _start_filebeat(on, "filebeat", config, user="1000:0", logs=(volume.name, _LOGS))
    config = filebeat_containers.render(stack=STACK, containers_path=_CONTAINERS)
    _start_filebeat(on, "filebeat-containers", config, user="0:0", logs=(containers, _CONTAINERS))
    made = Shipping(exporter, tasks)
    wait_for("metrics page", lambda: execute(exporter, log_exporter.PROBE)[0] == 0)
    for stream in (_TASK, _CONTAINER):
        wait_for(f"canary of {stream}", lambda stream=stream: made.found(stream) > 0, seconds=120)
    return made


@pytest.mark.parametrize("stream", [_TASK, _CONTAINER], ids=["task", "container"])
def test_canaries_arrive_soon(shipping: Shipping, stream: dict[str, str]) -> None:
    seen = shipping.found(stream)
    wait_for("two more", lambda: shipping.found(stream) >= seen + 2)
    page = shipping.page()
    assert 0 < page["log_canary_delay_seconds"][frozenset(stream.items())] < _INTERVAL


def test_a_canary_says_what_it_is(shipping: Shipping, log_store: LogStore) -> None:
    assert shipping.found(_TASK)
    hits = log_store.search({"term": {"airflow.dag_id": log_exporter.CANARY_DAG}})
    lines = [hit["_source"] for hit in hits]
    assert {line["log"]["level"] for line in lines} == {"debug"}
    assert all(line["message"].startswith(line["airflow"]["run_id"]) for line in lines)
    (ours, *_) = log_store.search(
        {"match_phrase": {"message": "was written to see whether"}}, stream=log_store.container_stream
    )
    assert ours["_source"]["service"]["name"] == "log-exporter"
    assert ours["_source"]["log"]["level"] == "debug"


def test_no_dag_can_have_the_canarys_name(image_set: ImageSet) -> None:
    source = f"from airflow.sdk import DAG; DAG({log_exporter.CANARY_DAG!r})"
    with network(image_set) as alone:
        step = alone.start(
            "airflow", memory=512 * 2**20, user="50000:0", entrypoint=["python"], command=["-c", source]
        )
        code, log = run_to_end(step)
    assert code == 1
    assert "alphanumeric" in log


def test_canaries_leave_nothing_behind(shipping: Shipping) -> None:
    """Neither files, nor readers in Filebeat, which would keep each for half an hour."""
    opened = shipping.value("filebeat_harvesters_started_total", {"service": "filebeat"})
    wait_for(
        "three more files",
        lambda: shipping.value("filebeat_harvesters_started_total", {"service": "filebeat"}) >= opened + 3,
    )
    wait_for("few readers", lambda: shipping.value("filebeat_harvesters", {"service": "filebeat"}) <= 2)
    code, files = execute(
        shipping.exporter, ["find", f"{_LOGS}/dag_id={log_exporter.CANARY_DAG}", "-type", "f"]
    )
    assert code in (0, 1), files
    assert len([line for line in files.splitlines() if "No such file" not in line]) <= 1


def test_all_that_the_alerts_ask_for_is_on_the_page(shipping: Shipping) -> None:
    links = Links(stack=STACK, airflow="http://a", prometheus="http://p")
    groups = (*filebeat_alerts.groups(links), *log_shipping_alerts.groups(links))
    expressions = [rule.expression for group in groups for rule in group.rules]
    named = {name for text in expressions for name in re.findall(r"\b(?:filebeat|log)_\w+", text)}
    page = shipping.page()
    assert named <= set(page)
    for name in named & {name for name in page if name.startswith("filebeat_")}:
        assert {dict(labels)["service"] for labels in page[name]} == _BOTH, name
    outcomes = {dict(labels)["outcome"] for labels in page["filebeat_output_events_total"]}
    asked = {value for text in expressions for value in re.findall(r'outcome="(\w+)"', text)}
    assert asked <= outcomes | {dict(labels)["outcome"] for labels in page["filebeat_pipeline_events_total"]}


def test_the_figures_are_filebeats_own(shipping: Shipping) -> None:
    acked = {"service": "filebeat", "outcome": "acked"}
    before = shipping.value("filebeat_output_events_total", acked)
    wait_for("more events", lambda: shipping.value("filebeat_output_events_total", acked) > before)
    code, text = execute(shipping.filebeat, ["curl", "-sf", "http://localhost:5066/stats"])
    assert code == 0
    page = shipping.page()
    assert page["filebeat_queue_events_limit"][frozenset({("service", "filebeat")})] == 512
    started = page["filebeat_harvesters_started_total"][frozenset({("service", "filebeat")})]
    assert started >= json.loads(text)["filebeat"]["harvester"]["started"]


def test_a_dead_letter_is_counted(shipping: Shipping, log_store: LogStore) -> None:
    name = {"data_stream": log_store.dead_letter_stream}
    wait_for("count", lambda: "log_dead_letter_documents" in shipping.page())
    before = shipping.value("log_dead_letter_documents", name)
    log_store.ingest(
        {"@timestamp": "2026-01-02T03:04:05Z", "message": "{}", "error": {"type": "400", "message": "{}"}},
        stream=log_store.dead_letter_stream,
    )
    wait_for("dead letter", lambda: shipping.value("log_dead_letter_documents", name) == before + 1)


def test_a_filebeat_that_is_gone_shows_and_hides_nothing_else(shipping: Shipping) -> None:
    up = {"service": "filebeat"}
    shipping.filebeat.stop(timeout=10)
    try:
        wait_for("filebeat_up 0", lambda: shipping.value("filebeat_up", up) == 0)
        lost = shipping.failures(_TASK, "not_found")
        wait_for("canary that is not found", lambda: shipping.failures(_TASK, "not_found") > lost)
        page = shipping.page()
        assert {dict(labels)["service"] for labels in page["filebeat_queue_events"]} == _BOTH - {"filebeat"}
        assert page["filebeat_up"][frozenset({("service", "filebeat-containers")})] == 1
        assert page["log_canary_delay_seconds"][frozenset(_TASK.items())] == _INTERVAL
        others = shipping.found(_CONTAINER)
        wait_for("canary of the other way", lambda: shipping.found(_CONTAINER) > others)
    finally:
        shipping.filebeat.start()
    found = shipping.found(_TASK)
    wait_for("filebeat_up 1", lambda: shipping.value("filebeat_up", up) == 1)
    wait_for("canary", lambda: shipping.found(_TASK) > found)


def test_a_log_store_that_hangs_is_told_from_a_line_that_is_lost(
    shipping: Shipping, log_store: LogStore
) -> None:
    since = shipping.value("log_canary_last_found_timestamp_seconds", _TASK)
    asked = shipping.failures(_TASK, "elasticsearch")
    lost = shipping.failures(_TASK, "not_found")
    letters = shipping.page()["log_dead_letter_documents"]
    log_store.container.pause()
    try:
        wait_for("failed question", lambda: shipping.failures(_TASK, "elasticsearch") > asked)
        assert shipping.failures(_TASK, "not_found") <= lost + 1
        assert shipping.page()["log_dead_letter_documents"] == letters
    finally:
        log_store.container.unpause()
    wait_for(
        "canary",
        lambda: shipping.value("log_canary_last_found_timestamp_seconds", _TASK) > since + _INTERVAL,
    )


def test_the_password_is_not_to_be_seen(shipping: Shipping) -> None:
    shipping.exporter.reload()
    shown = json.dumps(shipping.exporter.attrs) + shipping.exporter.logs().decode(errors="replace")
    assert SECRETS["log_reader_password"] not in shown
