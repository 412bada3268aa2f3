"""Whether a real Elasticsearch takes what ``configs.elasticsearch`` and ``configs.task_logs`` tell it.

Decides: the node starts as an unprivileged user, the set-up plan can be repeated, and each kind of task's
line becomes the document that searches expect and none is lost. Cannot decide: anything about Filebeat, or
about the deletion of old data, which takes days and a server that has that part.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from conftest import SECRETS, STACK, LogStore

from configs import container_logs, dead_letters, task_logs

_RUN = "manual__2026-01-02T03:04:05.678+00:00_a~b"
_FOLDER = f"/opt/airflow/logs/dag_id=my.dag-1/run_id={_RUN}/task_id=group.load"
_PATH = f"{_FOLDER}/attempt=2.log"
_TIME = "2026-01-02T03:04:06.123456Z"

Apply = Callable[[Mapping[str, Any]], tuple[int, str]]


@pytest.fixture(scope="module")
def ingest(log_store: LogStore) -> Callable[..., dict[str, Any]]:
    """Store one line as Filebeat sends it, and return the document as it is found."""

    def store(line: Mapping[str, Any] | str, *, path: str = _PATH, offset: int = 70) -> dict[str, Any]:
        sent: dict[str, Any] = {"@timestamp": "2026-01-02T04:00:00.000Z"}
        sent["log"] = {"file": {"path": path}, "offset": offset}
        sent["message" if isinstance(line, str) else "airflow"] = line
        return log_store.ingest(sent)

    return store


def test_the_plan_can_be_repeated(apply: Apply, plan: dict[str, Any]) -> None:
    code, log = apply(plan)
    assert code == 0, log
    assert len(log.splitlines()) == len(plan["requests"]) + 1
    assert "there already" in log
    assert not any(secret in log for secret in SECRETS.values())


def test_a_refusal_fails_the_step_in_the_servers_words(apply: Apply, plan: dict[str, Any]) -> None:
    body = {"password": {"$secret": "log_writer_password"}, "roles": 7}
    wrong = {"name": "wrong", "method": "PUT", "path": "/_security/user/x", "expect": [200], "body": body}
    code, log = apply({**plan, "requests": [wrong]})
    assert code == 1
    assert "PUT /_security/user/x answered 400" in log
    assert SECRETS["log_writer_password"] not in log


def test_a_wrong_password_fails_at_once(apply: Apply, plan: dict[str, Any]) -> None:
    code, log = apply({**plan, "password_file": "/run/secrets/log_reader_password"})
    assert code == 1
    assert "401" in log


@pytest.mark.parametrize(
    ("stream", "pipeline", "retention"),
    [
        (task_logs.data_stream(STACK), task_logs.PIPELINE, "7d"),
        (container_logs.data_stream(STACK), container_logs.PIPELINE, "3d"),
        (dead_letters.data_stream(STACK), dead_letters.PIPELINE, "1d"),
    ],
)
def test_a_data_stream_is_ours(log_store: LogStore, stream: str, pipeline: str, retention: str) -> None:
    (found,) = log_store.ask("GET", f"/_index_template/{stream}").json()["index_templates"]
    assert found["index_template"]["priority"] > 200
    template = found["index_template"]["template"]
    assert template["lifecycle"]["data_retention"] == retention
    assert template["data_stream_options"]["failure_store"]["enabled"] is False
    (settings,) = log_store.ask("GET", f"/{stream}/_settings?flat_settings=true").json().values()
    assert settings["settings"]["index.number_of_replicas"] == "0"
    assert settings["settings"]["index.refresh_interval"] == "1s"
    assert settings["settings"]["index.default_pipeline"] == pipeline


def test_the_cluster_is_green(log_store: LogStore) -> None:
    assert log_store.ask("GET", "/_cluster/health").json()["status"] == "green"


def test_an_ordinary_line(ingest: Callable[..., dict[str, Any]]) -> None:
    line = {
        "timestamp": _TIME,
        "event": "42 rows",
        "level": "WARN",
        "logger": "team.load",
        "filename": "load.py",
        "lineno": 12,
        "dag_id": "my.dag-1",
        "task_id": "group.load",
        "run_id": _RUN,
        "try_number": 2,
        "map_index": -1,
        "ti_id": "0197",
    }
    assert ingest(line) == {
        "@timestamp": "2026-01-02T03:04:06.123456Z",
        "message": "42 rows",
        "log_id": f"my.dag-1-group.load-{_RUN}--1-2",
        "offset": 70,
        "log": {
            "level": "warning",
            "logger": "team.load",
            "offset": 70,
            "file": {"path": _PATH},
            "origin": {"file": {"name": "load.py", "line": 12}},
        },
        "airflow": {
            "dag_id": "my.dag-1",
            "task_id": "group.load",
            "run_id": _RUN,
            "try_number": 2,
            "map_index": -1,
            "ti_id": "0197",
        },
    }


def test_the_first_line_has_no_ids_of_its_own(ingest: Callable[..., dict[str, Any]]) -> None:
    found = ingest({"timestamp": _TIME, "event": "DAG bundles loaded", "level": "info"}, offset=0)
    ids = {"dag_id": "my.dag-1", "task_id": "group.load", "run_id": _RUN, "try_number": 2, "map_index": -1}
    assert found["airflow"] == ids
    assert found["offset"] == 0


def test_a_mapped_task(ingest: Callable[..., dict[str, Any]]) -> None:
    found = ingest({"event": "x"}, path=f"{_FOLDER}/map_index=13/attempt=1.log")
    assert found["airflow"]["map_index"] == 13
    assert found["log_id"] == f"my.dag-1-group.load-{_RUN}-13-1"


def test_a_deferred_task(ingest: Callable[..., dict[str, Any]]) -> None:
    found = ingest({"event": "waits"}, path=f"{_PATH}.trigger.77.log")
    assert (found["airflow"]["try_number"], found["airflow"]["trigger_job"]) == (2, 77)


def test_without_such_a_path_the_line_is_asked(ingest: Callable[..., dict[str, Any]]) -> None:
    line = {"event": "x", "dag_id": "d", "task_id": "t", "run_id": "r", "try_number": "3"}
    assert ingest(line, path="/elsewhere/x.log")["log_id"] == "d-t-r--1-3"
    assert "dag_id" not in ingest({"event": "x"}, path="/elsewhere/x.log")["airflow"]


def test_a_traceback(ingest: Callable[..., dict[str, Any]]) -> None:
    frames = [{"filename": "/opt/airflow/dags/x.py", "lineno": 7, "name": "load"}]
    detail = [
        {"exc_type": "ValueError", "exc_value": "no rows", "frames": frames, "is_cause": False},
        {"exc_type": "KeyError", "exc_value": "'rows'", "frames": [], "is_cause": True},
    ]
    found = ingest({"event": "Task failed with exception", "level": "error", "error_detail": detail})
    assert (found["error"]["type"], found["error"]["message"]) == ("ValueError", "no rows")
    trace = found["error"]["stack_trace"].splitlines()
    assert trace == [
        "KeyError: 'rows'",
        '  File "/opt/airflow/dags/x.py", line 7, in load',
        "ValueError: no rows",
    ]
    assert found["error"]["detail"]["raised"][0]["frames"] == frames


@pytest.mark.parametrize(
    "text", ["plain words", "{broken json", "\tat java.Thing(Thing.java:1)", "ünïcode ✓"]
)
def test_a_line_that_is_no_json(ingest: Callable[..., dict[str, Any]], text: str) -> None:
    found = ingest(text)
    assert found["message"] == text
    assert found["airflow"]["task_id"] == "group.load"
    assert "error" not in found


def _nested(depth: int) -> Any:
    return {"deeper": _nested(depth - 1)} if depth else [1]


@pytest.mark.parametrize(
    "extra",
    [
        {"rows": 3},
        {"rows": {"good": 3}},
        {"rows": [1, "two", {"three": None}]},
        {"message": "m", "error": {"type": []}, "log": "l", "_id": "i", "@timestamp": "t", "extra": {"x": 1}},
        {"": 1, " ": 2, ".": 3, "a.b": 4, "a..b": 5, "nul\0": 6},
        {"deep": _nested(60)},
        {"long": "x" * 100_000, "ü" * 40_000: 1},
        {f"key{number}": number for number in range(3000)},
        {"big": 10**300, "tiny": -(2**63), "not": None, "yes": True},
        {"dag_id": "someone else's", "map_index": "none", "try_number": {"x": 1}, "run_id": []},
        {"level": 30, "logger": {"a": 1}, "filename": 1, "lineno": "x", "timestamp": 5, "ti_id": {}},
        {"error_detail": "text"},
        {"error_detail": [1, {"exc_type": {"x": 1}, "frames": "none"}, {"frames": [None]}]},
        {"error_detail": {"a": _nested(30)}},
        {"event": {"an": "object"}},
        {"event": None},
    ],
    ids=lambda extra: next(iter(extra))[:12] or "empty",
)
def test_no_line_is_lost(ingest: Callable[..., dict[str, Any]], extra: dict[str, Any]) -> None:
    """Whatever keys and values a task logs, its document is stored, with its ids and its message."""
    found = ingest({"timestamp": _TIME, "event": "hostile", "level": "info", **extra})
    assert found.get("error", {}).get("type") != "ingest", found
    assert found["airflow"]["dag_id"] == "my.dag-1"
    assert found["airflow"]["try_number"] == 2
    if "event" not in extra:
        assert found["message"] == "hostile"


def test_unknown_keys_can_be_searched_and_add_no_fields(
    log_store: LogStore, ingest: Callable[..., dict[str, Any]]
) -> None:
    before = log_store.ask("GET", f"/{log_store.stream}/_mapping").json()
    ingest({"event": "x", "batch": {"size": 512, "name": "unheard-of"}})
    assert log_store.search({"term": {"airflow.extra.batch.name": "unheard-of"}})
    assert log_store.ask("GET", f"/{log_store.stream}/_mapping").json() == before


def test_the_password_is_not_in_the_environment(log_store: LogStore) -> None:
    shown = json.dumps(log_store.container.attrs["Config"])
    assert SECRETS["elastic_password"] not in shown
