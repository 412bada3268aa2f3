"""Whether a real Elasticsearch makes of a container's line what ``configs.container_logs`` says.

Decides: level, text and keys of each format, by the server's simulate API, and that no line is refused.
Cannot decide: whether a service's next version still writes this format.
"""

import json
from typing import Any

import pytest
from conftest import LogStore

from configs import container_logs

_TRACE = 'Traceback (most recent call last):\n  File "/x.py", line 1, in <module>\nKeyError: 1'


def _shape(log_store: LogStore, message: str, **log: Any) -> dict[str, Any]:
    document = {"@timestamp": "2026-01-02T03:04:05.678Z", "message": message, "log": {"offset": 7, **log}}
    path = f"/_ingest/pipeline/{container_logs.PIPELINE}/_simulate"
    answer = log_store.ask("POST", path, {"docs": [{"_source": document}]}).json()
    return answer["docs"][0]["doc"]["_source"]


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("2026-01-02T03:04:05.678901Z [info     ] Starting the scheduler [airflow.jobs] loc=x.py:1", "info"),
        ("2026-01-02T03:04:05.678901Z [warning  ] level=error in the text", "warning"),
        ("2026-01-02T03:04:05.678901Z [critical ] over [airflow]", "critical"),
        ("[2026-01-02T03:04:05.678+00:00][FATAL][root] Error: no config", "critical"),
        ("[2026-01-02T03:04:05.678+0000][warning][gc] pause", "warning"),
        ("2026-01-02 03:04:05.678 UTC [1] LOG:  database system is ready", "info"),
        ("2026-01-02 03:04:05.678 UTC [71] airflow@airflow ERROR:  duplicate key", "error"),
        ("2026-01-02 03:04:05.678 UTC [71] FATAL:  password authentication failed", "critical"),
        ("2026-01-02 03:04:05.678 UTC [71] STATEMENT:  SELECT 1", None),
        ("2026-01-02T03:04:05.678Z\tinfo\tservice@v0.1/service.go:1\tStarting jaeger", "info"),
        ("time=2026-01-02T03:04:05.678Z level=WARN source=main.go:1 msg=x", "warning"),
        ("ts=2026-01-02T03:04:05.678Z caller=main.go:1 level=error msg=x", "error"),
        ('logger=a.b t=2026-01-02T03:04:05Z msg="level=info" level=debug', "debug"),
        ("E0102 03:04:05.678901       1 manager.go:1] no cgroup", "error"),
        ("/usr/lib/python3/x.py:12: DeprecationWarning: old", "warning"),
        ("INFO:     Uvicorn running on http://0.0.0.0:8080", "info"),
        ("WARNING:root:text", "warning"),
        ("panic: runtime error: index out of range", "critical"),
        (_TRACE, "error"),
        (f"2026-01-02T03:04:05.678901Z [info     ] the last line of a process\n{_TRACE}", "error"),
        (f"2026-01-02T03:04:05.678901Z [warning  ] caught\n{_TRACE}", "warning"),
        ("plain words, level=error among them", None),
        ("SELECT 1", None),
        ("", None),
    ],
)
def test_the_level_of_each_format(log_store: LogStore, line: str, level: str | None) -> None:
    shaped = _shape(log_store, line)
    assert shaped["log"].get("level") == level
    assert shaped["message"] == line
    assert set(shaped) == {"@timestamp", "message", "log"}


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ({"@timestamp": "t", "log.level": "WARN", "message": "m", "ecs.version": "1"}, "warning", "m"),
        ({"log": {"level": "error", "logger": "a"}, "message": "m"}, "error", "m"),
        ({"level": "fatal", "msg": "m", "ts": 1.5}, "critical", "m"),
        ({"severity": "ERROR", "event": "m"}, "error", "m"),
        ({"level": 30, "message": "m"}, None, "m"),
    ],
)
def test_a_line_that_is_json(
    log_store: LogStore, line: dict[str, Any], level: str | None, message: str
) -> None:
    shaped = _shape(log_store, json.dumps(line))
    assert (shaped["log"].get("level"), shaped["message"]) == (level, message)


def test_other_keys_of_a_json_line_are_kept_and_its_error_has_its_own_fields(log_store: LogStore) -> None:
    line = {
        "log.level": "ERROR",
        "log.logger": "o.e.Node",
        "message": "failed",
        "error.type": "java.lang.IllegalStateException",
        "error.message": "no",
        "error.stack_trace": "java.lang...\n\tat x",
        "trace.id": "1",
        "service": {"name": "x"},
    }
    shaped = _shape(log_store, json.dumps(line))
    assert shaped["log"] == {"offset": 7, "level": "error", "logger": "o.e.Node"}
    assert shaped["error"] == {
        "type": "java.lang.IllegalStateException",
        "message": "no",
        "stack_trace": "java.lang...\n\tat x",
    }
    assert shaped["json"] == {"trace.id": "1", "service": {"name": "x"}}


def test_ends_of_lines_are_taken_off(log_store: LogStore) -> None:
    """Filebeat leaves the end on each line that the engine recorded, and puts one between joined lines."""
    assert _shape(log_store, "one line\r\n")["message"] == "one line"
    joined = _shape(log_store, "a\n\n  b\n\n\n\nc\n", flags=["multiline"])
    assert joined["message"] == "a\n  b\n\nc"


@pytest.mark.parametrize(
    "message",
    [
        '{"message": {"an": "object"}, "level": "info"}',
        '{"message": "", "msg": null}',
        '{"a":' * 2000 + "1" + "}" * 2000,
        '{"' + "k" * 40_000 + '": "' + "v" * 40_000 + '"}',
        json.dumps({f"key{number}": number for number in range(3000)}),
        json.dumps({"message": "m", "": 1, " ": 2, ".": 3, "a.b": 4, "a..b": 5, "nul\0": 6}),
        json.dumps({"message": "m", "log": "l", "error": [], "log.level": {}, "@timestamp": {}}),
        '{"message": "m", "big": 1e400}',
        "{",
        "{} {}",
        "\0\x1b[31mred\x1b[0m",
        "x" * 65_536,
    ],
    ids=lambda message: message[:12],
)
def test_no_line_is_refused(log_store: LogStore, message: str) -> None:
    before = log_store.ask("GET", f"/{log_store.container_stream}/_mapping").json()
    sent = {"@timestamp": "2026-01-02T03:04:05.678Z", "message": message, "log": {"offset": 7}}
    found = log_store.ingest(sent, stream=log_store.container_stream)
    assert found["message"]
    assert log_store.ask("GET", f"/{log_store.container_stream}/_mapping").json() == before
