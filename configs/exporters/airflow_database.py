"""Shows Prometheus what Airflow's metadata database says: ``airflow_database.py --host postgres --user …``.

Airflow's own metrics tell what happens while somebody listens. The database knows what is: which run of a
DAG ended last and how, whether or not anybody saw it end.

All queries of a scrape see the same moment, in one read-only transaction. A query that fails, fails the whole
scrape with HTTP 500, so that no failure looks cleared because nobody could be asked.
"""

import argparse
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg2
from airflow_readings import MOST_ROWS, READINGS, Reading
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

PORT = 9101

_CONNECT_SECONDS = 3
_OPTIONS = "-c statement_timeout=3s -c transaction_timeout=5s -c jit=off"
# A server that vanished without a word is noticed after about 10 s.
_KEEPALIVE = {"keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3}

log = logging.getLogger("airflow-exporter")


class Database:
    """One connection, made when it is needed and made anew when it is broken."""

    def __init__(self, *, host: str, name: str, user: str, password_file: Path) -> None:
        self._where = {"host": host, "dbname": name, "user": user}
        self._password_file = password_file
        self._connection: Any = None

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """A cursor whose queries all see the same moment, and can change nothing.

        Raises:
            psycopg2.Error: the database cannot be asked.
        """
        if self._connection is None:
            self._connection = self._connect()
        try:
            with self._connection, self._connection.cursor() as cursor:
                yield cursor
        except psycopg2.Error:
            self._connection.close()
            self._connection = None
            raise

    def _connect(self) -> Any:
        password = self._password_file.read_text(encoding="utf-8").strip()
        connection = psycopg2.connect(
            **self._where,
            **_KEEPALIVE,
            password=password,
            connect_timeout=_CONNECT_SECONDS,
            options=_OPTIONS,
            application_name="airflow-exporter",
        )
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        return connection


class Collector:
    """Asks the database at each scrape."""

    def __init__(self, database: Database, services: Mapping[str, str]) -> None:
        """``services``: what is meant to run -> how the table of jobs calls it, such as ``SchedulerJob``."""
        self._database = database
        self._given = {
            "services": list(services),
            "job_types": list(services.values()),
            "most": MOST_ROWS + 1,
        }
        self._one_at_a_time = threading.Lock()

    def collect(self) -> list[Metric]:
        """All metrics.

        Raises:
            psycopg2.Error: the database cannot be asked, or has not answered the scrape before this one.
        """
        if not self._one_at_a_time.acquire(timeout=_CONNECT_SECONDS):
            message = "the queries of an earlier scrape are still waiting for an answer"
            raise psycopg2.OperationalError(message)
        try:
            truncated = GaugeMetricFamily(
                "airflow_exporter_truncated",
                f"Whether rows beyond the first {MOST_ROWS} were left out.",
                labels=["metric"],
            )
            families: list[Metric] = [truncated]
            with self._database.snapshot() as cursor:
                for reading in READINGS:
                    cursor.execute(f"{reading.query} limit %(most)s", self._given)
                    rows = cursor.fetchall()
                    truncated.add_metric([next(iter(reading.metrics))], len(rows) > MOST_ROWS)
                    families += _families(reading, rows[:MOST_ROWS])
            return families
        finally:
            self._one_at_a_time.release()


def _families(reading: Reading, rows: Sequence[Sequence[Any]]) -> Iterator[Metric]:
    for column, (name, text) in enumerate(reading.metrics.items(), start=len(reading.labels)):
        family = GaugeMetricFamily(name, text, labels=reading.labels)
        for row in rows:
            if row[column] is not None:
                family.add_metric([str(value) for value in row[: len(reading.labels)]], float(row[column]))
        yield family


def handler(registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    """What answers requests for ``/metrics``."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                self.send_error(404)
                return
            try:
                content = generate_latest(registry)
            except psycopg2.Error as error:
                reason = str(error).strip().partition("\n")[0]
                log.warning("the database cannot be asked: %s", reason)
                self.send_error(500, "the database cannot be asked")
                return
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE_LATEST)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """A line for every scrape would bury the others."""

    return Page


def main() -> None:
    """Serve the page until the process is stopped."""
    parser = argparse.ArgumentParser(description="what Airflow's metadata database says, for Prometheus")
    for name in ("host", "database", "user", "password-file"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument(
        "--service", action="append", default=[], help="what is meant to run: service=JobType"
    )
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    database = Database(
        host=given.host, name=given.database, user=given.user, password_file=Path(given.password_file)
    )
    registry = CollectorRegistry()
    registry.register(Collector(database, dict(pair.split("=", 1) for pair in given.service)))
    ThreadingHTTPServer(("", PORT), handler(registry)).serve_forever()


if __name__ == "__main__":
    main()
