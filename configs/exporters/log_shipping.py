"""Follow log lines from where they are written to the log store: ``python log_shipping.py config.json``.

Every half minute a canary goes each way that a stack's logs go: a file among the tasks' logs, and a line on
this program's own output. It is looked for in Elasticsearch until it is found. A new file each time, removed
afterwards: that is the way of a task's first line, and neither the folder nor Filebeat's registry, which
forgets removed files, grows by it.

The page shows how long the canaries took, what the log store had to refuse, and the Filebeats' own figures.
"""

import base64
import json
import os
import shutil
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from filebeat_stats import FilebeatCollector
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    start_http_server,
)

_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 5
_BUCKETS = (0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 15, 20, 30)
_WRITE, _ASK, _NOT_FOUND = "write", "elasticsearch", "not_found"


class Store:
    """Elasticsearch, asked as a user who may read logs."""

    def __init__(self, url: str, username: str, password_file: str) -> None:
        """``url`` has no slash at its end."""
        password = Path(password_file).read_text(encoding="utf-8")
        login = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._url = url
        self._headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}

    def count(self, stream: str, query: Mapping[str, Any]) -> int:
        """How many documents of ``stream`` match.

        Raises:
            OSError: the server did not answer, or refused.
            ValueError: the answer is no JSON.
        """
        body = json.dumps({"query": query}).encode()
        request = urllib.request.Request(f"{self._url}/{stream}/_count", data=body, headers=self._headers)
        with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS) as answer:
            return int(json.load(answer)["count"])


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way of log lines.

    Attributes:
        name: the label ``stream``.
        data_stream: where its lines are found.
        send: writes a line that carries an identifier, and returns what takes it away again.
        query: finds that line.
    """

    name: str
    data_stream: str
    send: Callable[[str], Callable[[], None]]
    query: Callable[[str], Mapping[str, Any]]


def task_way(data_stream: str, logs: Path, dag_id: str) -> Way:
    """The way of the tasks' logs; what an earlier start left behind goes first."""
    folder = logs / f"dag_id={dag_id}"
    if folder.exists():
        shutil.rmtree(folder)

    def send(identifier: str) -> Callable[[], None]:
        run = folder / f"run_id={identifier}"
        path = run / "task_id=canary" / "attempt=1.log"
        path.parent.mkdir(parents=True)
        line = {
            "timestamp": datetime.now(UTC).isoformat(),
            "level": "debug",
            "event": f"{identifier} was written to see whether log lines arrive",
            "logger": "log-exporter",
        }
        path.write_text(json.dumps(line) + "\n", encoding="utf-8")
        return lambda: shutil.rmtree(run)

    return Way(
        name="task",
        data_stream=data_stream,
        send=send,
        query=lambda identifier: {"term": {"airflow.run_id": identifier}},
    )


def container_way(data_stream: str) -> Way:
    """The way of the services' own logs, by this program's output."""

    def send(identifier: str) -> Callable[[], None]:
        print(f"DEBUG: {identifier} was written to see whether log lines arrive", flush=True)
        return lambda: None

    return Way(
        name="container",
        data_stream=data_stream,
        send=send,
        query=lambda identifier: {"match": {"message": identifier}},
    )


class Canaries:
    """The canaries of all ways, and what became of them."""

    def __init__(self, store: Store, registry: CollectorRegistry, *, interval: float) -> None:
        """``interval``: seconds between two canaries of one way, and how long one is looked for."""
        self._store = store
        self._interval = interval
        self._delay = Gauge(
            "log_canary_delay_seconds",
            "From writing the last canary to finding it; if it was not found, how long it was looked for.",
            ["stream"],
            registry=registry,
        )
        self._delays = Histogram(
            "log_shipping_delay_seconds",
            "From writing a canary to finding it, of those that were found.",
            ["stream"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._found = Gauge(
            "log_canary_last_found_timestamp_seconds",
            "When a canary was last found; before the first, when this exporter started.",
            ["stream"],
            registry=registry,
        )
        self._failures = Counter(
            "log_canary_failures",
            "Canaries that could not be written, could not be asked for, or were not found in time.",
            ["stream", "reason"],
            registry=registry,
        )

    def follow(self, way: Way) -> NoReturn:
        """Send one canary after the other."""
        for reason in (_WRITE, _ASK, _NOT_FOUND):
            self._failures.labels(way.name, reason)
        self._delays.labels(way.name)
        self._found.labels(way.name).set_to_current_time()
        for _ in ticks(self._interval):
            failure = self._send(way)
            if failure:
                reason, said = failure
                self._failures.labels(way.name, reason).inc()
                complain(f"canary of the {way.name} logs: {reason}: {said}")

    def _send(self, way: Way) -> tuple[str, str] | None:
        """Send one canary and wait for it; a reason and what was said, if it failed."""
        identifier = f"canary{uuid.uuid4().hex}"
        started = time.monotonic()
        try:
            take_away = way.send(identifier)
        except OSError as error:
            return _WRITE, str(error)
        failure = self._look_for(way, identifier, started)
        try:
            take_away()
        except OSError as error:
            return _WRITE, str(error)
        return failure

    def _look_for(self, way: Way, identifier: str, started: float) -> tuple[str, str] | None:
        failure = None
        while (waited := time.monotonic() - started) < self._interval:
            try:
                if self._store.count(way.data_stream, way.query(identifier)):
                    delay = time.monotonic() - started
                    self._delay.labels(way.name).set(delay)
                    self._delays.labels(way.name).observe(delay)
                    self._found.labels(way.name).set_to_current_time()
                    return None
                failure = _NOT_FOUND, f"{identifier} is not there after {waited:.0f} s"
            except (OSError, ValueError) as error:
                failure = _ASK, str(error)
            time.sleep(_POLL_SECONDS)
        if failure and failure[0] == _NOT_FOUND:
            self._delay.labels(way.name).set(self._interval)
        return failure


def count_dead_letters(
    store: Store, data_stream: str, registry: CollectorRegistry, interval: float
) -> NoReturn:
    """Keep count of the documents that the log store refused.

    A count that fails leaves the last one standing, so that no alert clears because nobody could be asked.
    """
    letters = Gauge(
        "log_dead_letter_documents",
        "Documents in the dead-letter stream, as last counted.",
        ["data_stream"],
        registry=registry,
    )
    for _ in ticks(interval):
        try:
            letters.labels(data_stream).set(store.count(data_stream, {"match_all": {}}))
        except (OSError, ValueError) as error:
            complain(f"counting dead letters: {error}")


def ticks(interval: float) -> Iterator[None]:
    """At once, then every ``interval`` seconds; after what took longer at once, with nothing made up for."""
    while True:
        due = time.monotonic() + interval
        yield
        time.sleep(max(0.0, due - time.monotonic()))


def complain(what: str) -> None:
    """Say on standard error what went wrong."""
    print(f"ERROR: {what}", file=sys.stderr, flush=True)


def main(config: Mapping[str, Any]) -> None:
    """Serve the page, and follow the canaries until one of the threads dies."""
    # Group 0 reads what it ships; nobody else does.
    os.umask(0o027)
    disable_created_metrics()
    registry = CollectorRegistry()
    registry.register(FilebeatCollector(config["filebeats"]))
    store = Store(**config["elasticsearch"])
    interval = config["interval_seconds"]
    canaries = Canaries(store, registry, interval=interval)
    ways = [task_way(config["task_stream"], Path(config["logs_path"]), config["canary_dag"])]
    if config["container_stream"]:
        ways.append(container_way(config["container_stream"]))
    jobs = [threading.Thread(target=canaries.follow, args=(way,), daemon=True) for way in ways]
    letters = (store, config["dead_letter_stream"], registry, interval)
    jobs.append(threading.Thread(target=count_dead_letters, args=letters, daemon=True))
    for job in jobs:
        job.start()
    start_http_server(config["port"], registry=registry)
    while all(job.is_alive() for job in jobs):
        jobs[0].join(timeout=1)
    sys.exit("a thread has died; the container starts anew")


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
