"""Whether what Elasticsearch refuses is kept, with the reason and its origin, by real Filebeat and server.

Decides: a line that the server's parser refuses lands among the dead letters and not nowhere, its neighbours
where they belong, and the counters tell. The one refusal that the streams' mappings leave to be provoked is
nesting beyond the server's own limit; others are made by hand, in the form that Filebeat gives them.
"""

import json
from typing import Any

import pytest
from conftest import LogStore
from containers import execute, wait_for
from shipping import SHIPPED_SECONDS, start_filebeat, task_line, task_path, write

_DEEP = '{"timestamp":"2026-01-02T03:04:05.678901Z","event":"too deep","x":' + "[" * 1200 + "]" * 1200 + "}"


def test_a_refused_line_is_kept_with_reason_and_origin(log_store: LogStore) -> None:
    shipper = start_filebeat(log_store)
    path = task_path("refused")
    write(shipper, path, task_line("before"), _DEEP, task_line("after"))

    def letters() -> list[dict[str, Any]]:
        query = {"term": {"log.file.path": path}}
        return [hit["_source"] for hit in log_store.search(query, stream=log_store.dead_letter_stream)]

    (letter,) = wait_for("dead letter", letters, seconds=SHIPPED_SECONDS)
    assert letter["error"]["code"] == "400"
    assert letter["error"]["type"] == "x_content_parse_exception"
    assert "Document nesting depth" in letter["error"]["message"]
    assert letter["event"] == {"dataset": "airflow.task"}
    assert '"event":"too deep"' in letter["message"]
    assert set(letter) == {"@timestamp", "message", "log", "event", "error"}
    messages = {
        hit["_source"]["message"] for hit in log_store.search({"term": {"airflow.dag_id": "refused"}})
    }
    assert messages == {"before", "after"}
    code, stats = execute(shipper, ["curl", "-sf", "http://localhost:5066/stats"])
    assert code == 0, stats
    events = json.loads(stats)["libbeat"]["output"]["events"]
    assert (events["dead_letter"], events.get("dropped", 0)) == (1, 0)


def test_a_second_reading_makes_no_second_letter(log_store: LogStore) -> None:
    first = start_filebeat(log_store)
    path = task_path("refused-twice")
    write(first, path, _DEEP)
    query = {"term": {"log.file.path": path}}

    def count() -> int:
        return len(log_store.search(query, stream=log_store.dead_letter_stream))

    wait_for("dead letter", count, seconds=SHIPPED_SECONDS)
    code, log = execute(first, ["rm", "-r", "/usr/share/filebeat/data/registry"])
    assert code == 0, log
    first.kill()
    first.start()
    write(first, path, task_line("afterwards"))
    wait_for(
        "line after it",
        lambda: log_store.search({"term": {"airflow.dag_id": "refused-twice"}}),
        seconds=SHIPPED_SECONDS,
    )
    log_store.ask("POST", f"/{log_store.dead_letter_stream}/_refresh")
    assert count() == 1


def _letter(log_store: LogStore, message: str, answer: str) -> dict[str, Any]:
    sent = {"@timestamp": "2026-01-02T03:04:05.678Z", "message": message, "error.type": 400}
    return log_store.ingest(sent | {"error.message": answer}, stream=log_store.dead_letter_stream)


def test_a_service_is_named(log_store: LogStore) -> None:
    document = {
        "service": {"name": "prometheus"},
        "container": {"id": "1", "name": "dev-prometheus"},
        "log": {"offset": 7},
        "message": "x",
    }
    cause = {"type": "date_time_parse_exception", "reason": "inner"}
    answer = {"type": "document_parsing_exception", "reason": "outer", "caused_by": cause}
    letter = _letter(log_store, json.dumps(document), json.dumps(answer))
    assert letter["service"]["name"] == "prometheus"
    assert letter["container"]["name"] == "dev-prometheus"
    assert letter["event"]["dataset"] == "docker.container"
    assert letter["log"] == {"offset": 7}
    assert letter["error"] == {
        "code": "400",
        "type": "document_parsing_exception",
        "message": "outer: inner",
    }


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("no json", "no json either"),
        ("", ""),
        ("[1]", "[1]"),
        ('{"log": "text", "container": [], "service": 1}', '{"reason": {"x": 1}, "type": []}'),
        ('{"log": {"file": "text", "offset": "many"}}', '{"caused_by": 1}'),
        ('{"' + "k" * 40_000 + '":"' + "v" * 40_000 + '"}', "w" * 40_000),
        (json.dumps({f"key{number}": number for number in range(3000)}), "{}"),
        ('{"service": {"name": {"a": 1}}, "container": {"id": [1, {"b": 2}]}}', "{}"),
    ],
    ids=["text", "empty", "lists", "wrong kinds", "wrong leaves", "long", "wide", "nested"],
)
def test_no_letter_is_refused(log_store: LogStore, message: str, answer: str) -> None:
    before = log_store.ask("GET", f"/{log_store.dead_letter_stream}/_mapping").json()
    letter = _letter(log_store, message, answer)
    assert letter["message"] == message
    assert letter["error"]["code"] == "400"
    assert log_store.ask("GET", f"/{log_store.dead_letter_stream}/_mapping").json() == before
