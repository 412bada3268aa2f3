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

_STATES = ("running", "deferred", "success", "failed", "up_for_retry")
_NOWHERE = "http://no-such-server:9200"
_MANY = 12_000

Answers = dict[str, dict[str, Any]]
Read = Callable[..., Answers]


@pytest.fixture(scope="module")
def shipper(log_store: LogStore) -> Container:
    """A running Filebeat."""
    return start_filebeat(log_store)


@pytest.fixture(scope="module")
def read(log_store: LogStore) -> Read:
    """Let Airflow read the logs of the task instances ``load``: DAG -> state in, DAG -> answer out."""

    def run(
        states: dict[str, str], *, files: dict[str, str] | None = None, url: str = ""
    ) -> dict[str, dict[str, Any]]:
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
            entrypoint=["python", f"{_STEPS}/read_task_log.py", json.dumps(states)],
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
        code, log = run_to_end(container, seconds=300)
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


def _file(dag: str) -> dict[str, str]:
    return {task_path(dag, task="load"): "\n".join(_lines(dag)) + "\n"}


def _at(time: str, message: str) -> str:
    return task_line(message, timestamp=f"2026-01-02T03:{time}001Z")


@pytest.fixture(scope="module")
def from_store(log_store: LogStore, shipper: Container, read: Read) -> Answers:
    """What is shown of logs that were shipped and whose files are gone."""
    triggerer = task_path("waits", task="load", end="attempt=1.log.trigger.3.log")
    own = {name: task_path(name, task="load") for name in ("gone", "waits", "long-log", "linked")}
    waits = {
        own["waits"]: [_at(f"04:{second:02}.000", str(second)) for second in (1, 2, 6, 7)],
        triggerer: [_at(f"04:{second:02}.000", str(second)) for second in (3, 4, 5)],
    }
    lines = [_at(f"{number // 1000:02}:00.{number % 1000:03}", str(number)) for number in range(_MANY)]
    _ship(log_store, shipper, "gone", {own["gone"]: _lines("gone")})
    _ship(log_store, shipper, "waits", waits)
    _ship(log_store, shipper, "long-log", {own["long-log"]: lines})
    _ship(log_store, shipper, "mine", {task_path("mine", task="load2"): [task_line("not mine")]})
    _ship(log_store, shipper, "linked", {own["linked"]: [task_line("x")]})
    return read(dict.fromkeys((*own, "mine"), "success"))


@pytest.fixture(scope="module")
def without_store(read: Read) -> Answers:
    """What is shown while the server is away: of logs with a file, and of the one without, ``lost``."""
    files = {path: text for state in _STATES for path, text in _file(state).items()}
    states = {state: state for state in _STATES} | {"lost": "success"}
    return read(states, files=files, url=_NOWHERE)


def test_the_log_is_the_same_with_and_without_its_file(
    log_store: LogStore, from_store: Answers, read: Read
) -> None:
    without = from_store["gone"]
    with_file = read({"gone": "success"}, files=_file("gone"))["gone"]
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


@pytest.mark.parametrize("state", _STATES)
def test_while_there_is_a_file_each_line_is_shown_once_and_nobody_is_asked(
    without_store: Answers, state: str
) -> None:
    answer = without_store[state]
    assert len(_shown(answer)) == 5
    assert _NOWHERE not in _sources(answer)


def test_lines_of_a_deferred_task_are_in_order(from_store: Answers) -> None:
    """Worker and triggerer write a file each, whose lines follow each other by time only."""
    assert [one["event"] for one in _shown(from_store["waits"])] == list("1234567")


def test_a_long_log_is_whole(from_store: Answers) -> None:
    """More lines than the server gives in one answer."""
    shown = [line["event"] for line in _shown(from_store["long-log"])]
    assert shown == [str(number) for number in range(_MANY)]


def test_another_tasks_lines_are_not_shown(from_store: Answers) -> None:
    assert _shown(from_store["mine"]) == []


def test_a_server_that_is_away_is_told_of_among_the_sources(without_store: Answers) -> None:
    assert f"{_NOWHERE} could not be asked" in _sources(without_store["lost"])
    assert SECRETS["log_reader_password"] not in json.dumps(without_store)


def test_the_link_finds_the_lines(log_store: LogStore, from_store: Answers) -> None:
    assert from_store["linked"]["link"] == _KIBANA.replace("{log_id}", "linked-load-manual__1--1-1")
    assert log_store.search({"term": {"log_id": "linked-load-manual__1--1-1"}})
