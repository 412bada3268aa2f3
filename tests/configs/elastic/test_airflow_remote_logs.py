"""Whether Airflow's own log reader shows from Elasticsearch what Filebeat shipped, once the file is gone.

Decides: the lines are the file's, in order and whole, and each is there once, whatever state the task is in;
a server that is away spoils nothing; the link leads to the same lines. Airflow's code runs in its own image,
on a database of its own. Cannot decide: how the page looks.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import SECRETS, STACK, LogStore
from containers import run_to_end, wait_for
from docker.models.containers import Container
from shipping import LOGS, SHIPPED_SECONDS, start_filebeat, task_line, task_path, write

from configs import airflow, airflow_remote_logs

_PROGRAM = Path(__file__).with_name("programs") / "read_task_log.py"
_STEPS = "/opt/steps"
_KIBANA = "http://127.0.0.1:5601/app/discover#/?_a=(query:'log_id%3A%22{log_id}%22')"
_DETAIL = [
    {
        "exc_type": "ValueError",
        "exc_value": "no rows",
        "exc_notes": [],
        "frames": [{"filename": "/opt/airflow/dags/x.py", "lineno": 7, "name": "load"}],
        "is_cause": False,
    }
]
_SHOWN = ("timestamp", "level", "event", "logger", "filename", "lineno", "error_detail", "rows")

Read = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def shipper(log_store: LogStore) -> Container:
    """A running Filebeat."""
    return start_filebeat(log_store)


@pytest.fixture
def read(log_store: LogStore) -> Read:
    """Let Airflow read the log of the task instance ``load`` of a DAG's run ``manual__1``."""

    def run(
        dag: str, *, state: str = "success", files: dict[str, str] | None = None, url: str = ""
    ) -> dict[str, Any]:
        settings = airflow_remote_logs.remote_log_settings(stack=STACK, kibana=_KIBANA)
        settings["log_store"] |= {"url": url} if url else {}
        environment = {
            f"AIRFLOW__{section}__{key}".upper(): str(value)
            for section, keys in settings.items()
            for key, value in keys.items()
        }
        container = log_store.network.start(
            "airflow",
            alias="airflow-api-server",
            user="50000:0",
            memory=512 * 2**20,
            entrypoint=["python", f"{_STEPS}/read_task_log.py", dag, state],
            environment=environment
            | {
                "PYTHONPATH": _STEPS,
                "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite:////tmp/airflow.db",
                "AIRFLOW__LOGGING__BASE_LOG_FOLDER": LOGS,
            },
            files={
                **airflow.probe_files(),
                f"{_STEPS}/read_task_log.py": _PROGRAM.read_text(),
                **(files or {}),
            },
            secrets={airflow_remote_logs.SECRET: SECRETS["log_reader_password"]},
        )
        code, log = run_to_end(container)
        assert code == 0, log
        return json.loads(log.splitlines()[-1])

    return run


def _ship(log_store: LogStore, shipper: Container, dag: str, files: dict[str, list[str]]) -> None:
    for path, lines in files.items():
        for start in range(0, len(lines), 1000):
            write(shipper, path, *lines[start : start + 1000])
    count = sum(len(lines) for lines in files.values())
    query = {"query": {"term": {"airflow.dag_id": dag}}}

    def counted() -> int:
        return log_store.ask("POST", f"/{log_store.stream}/_count", query).json()["count"]

    wait_for(f"{count} lines of {dag}", lambda: counted() == count, seconds=SHIPPED_SECONDS)


def _shown(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The lines below the heading, with what a person sees of them."""
    end = next(n for n, line in enumerate(answer["lines"]) if line["event"] == "::endgroup::")
    return [{key: line[key] for key in _SHOWN if key in line} for line in answer["lines"][end + 1 :]]


def _sources(answer: dict[str, Any]) -> str:
    return "\n".join(line["event"] for line in answer["lines"][: len(answer["lines"]) - len(_shown(answer))])


def _lines(dag: str) -> list[str]:
    ids = {"dag_id": dag, "task_id": "load", "run_id": "manual__1", "try_number": 1, "map_index": -1}
    place = {"logger": "task", "filename": "x.py", "lineno": 7}
    return [
        task_line("DAG bundles loaded", logger="airflow.bundles", filename="manager.py", lineno=1),
        task_line("42 rows", rows=42, **place, **ids),
        task_line("careful", **(place | ids | {"level": "warning"})),
        task_line("Task failed with exception", error_detail=_DETAIL, **(place | ids | {"level": "error"})),
        task_line("done", **place, **ids),
    ]


def test_the_log_is_the_same_with_and_without_its_file(
    log_store: LogStore, shipper: Container, read: Read
) -> None:
    path = task_path("gone", task="load")
    _ship(log_store, shipper, "gone", {path: _lines("gone")})
    with_file = read("gone", files={path: "\n".join(_lines("gone")) + "\n"})
    without = read("gone")
    assert [line["event"] for line in _shown(without)] == [
        "DAG bundles loaded",
        "42 rows",
        "careful",
        "Task failed with exception",
        "done",
    ]
    assert _shown(without) == _shown(with_file)
    assert _shown(without)[3]["error_detail"] == _DETAIL
    assert log_store.stream in _sources(without)
    assert log_store.stream not in _sources(with_file)
    assert not without["uploads"]


@pytest.mark.parametrize("state", ["running", "deferred", "success", "failed", "up_for_retry"])
def test_while_there_is_a_file_each_line_is_shown_once_and_nobody_is_asked(read: Read, state: str) -> None:
    path = task_path(state, task="load")
    answer = read(
        state, state=state, files={path: "\n".join(_lines(state)) + "\n"}, url="http://no-such-server:9200"
    )
    assert len(_shown(answer)) == 5
    assert "no-such-server" not in _sources(answer)


def test_lines_of_a_deferred_task_are_in_order(log_store: LogStore, shipper: Container, read: Read) -> None:
    """Worker and triggerer write a file each, whose lines follow each other by time only."""

    def line(second: int) -> str:
        return task_line(str(second), timestamp=f"2026-01-02T03:04:{second:02}.000001Z")

    files = {
        task_path("waits", task="load"): [line(1), line(2), line(6), line(7)],
        task_path("waits", task="load", end="attempt=1.log.trigger.3.log"): [line(3), line(4), line(5)],
    }
    _ship(log_store, shipper, "waits", files)
    assert [one["event"] for one in _shown(read("waits"))] == list("1234567")


def test_a_long_log_is_whole(log_store: LogStore, shipper: Container, read: Read) -> None:
    """More lines than the server gives in one answer."""
    lines = [
        task_line(str(number), timestamp=f"2026-01-02T03:{number // 1000:02}:00.{number % 1000:03}001Z")
        for number in range(12_000)
    ]
    _ship(log_store, shipper, "long-log", {task_path("long-log", task="load"): lines})
    assert [line["event"] for line in _shown(read("long-log"))] == [str(number) for number in range(12_000)]


def test_another_tasks_lines_are_not_shown(log_store: LogStore, shipper: Container, read: Read) -> None:
    _ship(log_store, shipper, "mine", {task_path("mine", task="load2"): [task_line("not mine")]})
    assert _shown(read("mine")) == []


def test_a_server_that_is_away_is_told_of_among_the_sources(read: Read) -> None:
    answer = read("lost", url="http://no-such-server:9200")
    assert "http://no-such-server:9200 could not be asked" in _sources(answer)
    assert SECRETS["log_reader_password"] not in json.dumps(answer)


def test_the_link_finds_the_lines(log_store: LogStore, shipper: Container, read: Read) -> None:
    _ship(log_store, shipper, "linked", {task_path("linked", task="load"): [task_line("x")]})
    link = read("linked")["link"]
    assert link == _KIBANA.replace("{log_id}", "linked-load-manual__1--1-1")
    assert log_store.search({"term": {"log_id": "linked-load-manual__1--1-1"}})
