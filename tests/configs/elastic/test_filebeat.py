"""Whether a real Filebeat takes what ``configs.filebeat`` tells it and ships each line once, soon and whole.

Decides: the configuration is valid, runs as an unprivileged user who may only append, and loses or doubles
nothing when Filebeat is killed, even when it forgets what it has shipped. Cannot decide: what Airflow writes,
nor throughput; the lines here are made by hand.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from conftest import SECRETS, STACK, LogStore
from containers import execute, network, upload, wait_for
from docker.models.containers import Container
from shipping import CONFIG, LOGS, SECRET, SHIPPED_SECONDS, start_filebeat, task_line, task_path, write

from configs import filebeat
from configs.versions import ImageSet

_LONG_LINES = """
mkdir -p "$(dirname "$0")"
pad=$(head -c "$1" /dev/zero | tr '\\0' x)
for number in $(seq 1200); do
  printf '{"event":"%s %s"}\\n' "$number" "$pad"
done >>"$0"
"""


@pytest.fixture(scope="module")
def shipper(log_store: LogStore) -> Iterator[Container]:
    """A running Filebeat with a log folder of its own."""
    container = start_filebeat(log_store)
    wait_for("Filebeat's own health", lambda: execute(container, filebeat.PROBE)[0] == 0)
    write(
        container, task_path("warm-up"), task_line("the first line waits for connections and for compilers")
    )
    wait_for(
        "first line",
        lambda: log_store.search({"term": {"airflow.dag_id": "warm-up"}}),
        seconds=SHIPPED_SECONDS,
    )
    yield container
    container.stop(timeout=15)


@pytest.fixture
def found(log_store: LogStore) -> Callable[..., list[dict[str, Any]]]:
    """Wait until a DAG has as many documents as expected, and return them with no other there."""

    def wait(dag: str, count: int) -> list[dict[str, Any]]:
        def sources() -> list[dict[str, Any]]:
            return [hit["_source"] for hit in log_store.search({"term": {"airflow.dag_id": dag}})]

        wait_for(f"{count} lines of {dag}", lambda: len(sources()) >= count, seconds=SHIPPED_SECONDS)
        log_store.ask("POST", f"/{log_store.stream}/_refresh")
        documents = sources()
        assert len(documents) == count
        return documents

    return wait


def _stats(container: Container) -> dict[str, Any]:
    code, text = execute(container, ["curl", "-sf", "http://localhost:5066/stats"])
    assert code == 0, text
    return json.loads(text)


def test_filebeat_accepts_the_configuration(image_set: ImageSet) -> None:
    with network(image_set) as alone:
        container = alone.start("filebeat", entrypoint=["sleep"], command=["60"])
        upload(container, CONFIG, filebeat.render(stack=STACK, logs_path=LOGS), 0o444)
        upload(container, "/tmp/secret.yml", filebeat.render_secret('odd " \\ $ password'), 0o444)
        arguments = filebeat.command(CONFIG, "/tmp/secret.yml")
        code, log = execute(container, ["filebeat", "test", "config", *arguments])
    assert code == 0, log
    assert "Config OK" in log


def test_the_writer_can_log_in(shipper: Container) -> None:
    code, log = execute(shipper, ["filebeat", "test", "output", *filebeat.command(CONFIG, SECRET)])
    assert code == 0, log


def test_the_password_is_not_to_be_seen(shipper: Container) -> None:
    shipper.reload()
    assert SECRETS["log_writer_password"] not in json.dumps(shipper.attrs)
    assert SECRETS["log_writer_password"] not in shipper.logs().decode(errors="replace")


def test_one_short_line_arrives_soon(shipper: Container, found: Callable[..., list[dict[str, Any]]]) -> None:
    """A file far below 1024 bytes is read, and not at Filebeat's default pace of 10 to 20 s."""
    started = time.monotonic()
    write(shipper, task_path("short"), task_line("only line"))
    (document,) = found("short", 1)
    assert time.monotonic() - started < 8
    assert document["message"] == "only line"
    assert set(document) == {"@timestamp", "message", "log", "log_id", "offset", "airflow"}
    assert set(document["log"]) == {"level", "offset", "file"}
    assert document["@timestamp"] == "2026-01-02T03:04:05.678901Z"


def test_every_kind_of_file_and_line_arrives_once(
    shipper: Container, found: Callable[..., list[dict[str, Any]]]
) -> None:
    run = "scheduled__2026-01-02T03:04:05.678+00:00"
    write(
        shipper,
        task_path("kinds", run=run),
        task_line("one"),
        "not json",
        '{"broken',
        "",
        "42",
        '"text"',
        "[1]",
        "null",
    )
    write(shipper, task_path("kinds", run=run, middle="map_index=3/"), task_line("mapped"))
    write(
        shipper,
        task_path("kinds", run=run, end="attempt=2.log"),
        task_line("again", rows={"good": 1}, error="x"),
    )
    write(shipper, task_path("kinds", run=run, end="attempt=2.log.trigger.9.log"), task_line("deferred"))
    documents = found("kinds", 10)
    assert Counter(document["message"] for document in documents) == Counter(
        ["one", "not json", '{"broken', "42", '"text"', "[1]", "null", "mapped", "again", "deferred"]
    )
    assert {document["airflow"]["run_id"] for document in documents} == {run}
    ids = {
        document["message"]: (document["airflow"]["map_index"], document["airflow"]["try_number"])
        for document in documents
    }
    assert (ids["one"], ids["mapped"], ids["again"], ids["deferred"]) == ((-1, 1), (3, 1), (-1, 2), (-1, 2))


def test_lines_of_a_growing_file_keep_their_order(
    shipper: Container, found: Callable[..., list[dict[str, Any]]]
) -> None:
    for number in range(3):
        write(shipper, task_path("growing"), task_line(str(number)))
        found("growing", number + 1)
    documents = sorted(found("growing", 3), key=lambda document: document["offset"])
    assert [document["message"] for document in documents] == ["0", "1", "2"]


def test_a_kill_loses_and_doubles_nothing(
    shipper: Container, found: Callable[..., list[dict[str, Any]]]
) -> None:
    write(shipper, task_path("killed"), *(task_line(f"before {number}") for number in range(200)))
    shipper.kill()
    shipper.start()
    write(shipper, task_path("killed"), *(task_line(f"after {number}") for number in range(200)))
    assert len({document["message"] for document in found("killed", 400)}) == 400


def test_a_lost_registry_doubles_nothing(
    shipper: Container, found: Callable[..., list[dict[str, Any]]]
) -> None:
    """A Filebeat that has forgotten everything reads all again, and each line meets its own document."""
    write(shipper, task_path("forgotten"), task_line("first"), task_line("second"))
    found("forgotten", 2)
    code, log = execute(shipper, ["rm", "-r", "/usr/share/filebeat/data/registry"])
    assert code == 0, log
    shipper.kill()
    shipper.start()
    write(shipper, task_path("forgotten"), task_line("third"))
    assert {document["message"] for document in found("forgotten", 3)} == {"first", "second", "third"}
    events = _stats(shipper)["libbeat"]["output"]["events"]
    assert events.get("dropped", 0) == 0
    assert events["duplicates"] >= 2


def test_a_file_that_takes_the_place_of_a_deleted_one_is_shipped(
    shipper: Container, found: Callable[..., list[dict[str, Any]]]
) -> None:
    path = task_path("replaced")
    write(shipper, path, task_line("old"))
    found("replaced", 1)
    closed = _stats(shipper)["filebeat"]["harvester"]["closed"]
    assert shipper.exec_run(["rm", path], user="0:0").exit_code == 0
    wait_for("end of the deleted file", lambda: _stats(shipper)["filebeat"]["harvester"]["closed"] > closed)
    write(shipper, path, json.dumps({"timestamp": "2026-01-02T05:00:00Z", "event": "new"}))
    assert {document["message"] for document in found("replaced", 2)} == {"old", "new"}


def test_long_lines_fit_into_the_memory_limit(log_store: LogStore, shipper: Container) -> None:
    """More text than the container's memory holds, in lines just short enough and in lines that are cut."""
    for length, task in ((60_000, "map_index=1/"), (120_000, "map_index=2/")):
        path = task_path("long", middle=task)
        done = shipper.exec_run(["bash", "-c", _LONG_LINES, path, str(length)], user="0:0")
        assert done.exit_code == 0, done.output
    query = {"query": {"term": {"airflow.dag_id": "long"}}}
    wait_for(
        "all long lines",
        lambda: log_store.ask("POST", f"/{log_store.stream}/_count", query).json()["count"] >= 2400,
        seconds=2 * SHIPPED_SECONDS,
    )
    shipper.reload()
    assert not shipper.attrs["State"]["OOMKilled"]
