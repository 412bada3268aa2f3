"""The Postgres exporter, asking Airflow's database as the monitoring role.

Decides that the exporter takes its flags, may read what it wants to, and shows every metric of the database
that an alert or a dashboard names. Cannot decide anything about the figures themselves.
"""

import re
import urllib.request
from collections.abc import Iterator

import pytest
from elastic.containers import address, wait_for
from metadata_database import PASSWORDS

from configs import postgres_exporter
from configs.alerts import postgres as alerts
from configs.dashboards import infrastructure
from configs.links import Links

LINKS = Links(stack="test", airflow="http://airflow.example", prometheus="http://prometheus.example")
METRIC = re.compile(r"\bpg_[a-z_]+")


@pytest.fixture(scope="module")
def samples(net, database) -> Iterator[dict[str, list[float]]]:
    """Metric -> the values of its series, of a database that answers."""
    del database
    with net.cleared():
        yield _figures(net)


def _figures(net) -> dict[str, list[float]]:
    server = net.start(
        "postgres-exporter",
        user="65534:0",
        memory=64 * 2**20,
        command=postgres_exporter.flags(),
        environment=postgres_exporter.environment(password_file="/run/secrets/postgres_monitor_password"),
        secrets={"postgres_monitor_password": PASSWORDS["monitor"]},
        port=postgres_exporter.PORT,
    )

    def read() -> dict[str, list[float]]:
        url = f"{address(server, postgres_exporter.PORT)}/metrics"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                lines = answer.read().decode().splitlines()
        except OSError:
            return {}
        found: dict[str, list[float]] = {}
        for line in lines:
            if not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                found.setdefault(series.partition("{")[0], []).append(float(value))
        return found

    return wait_for("figures of the database", lambda: (found := read()).get("pg_up") == [1] and found)


def named() -> set[str]:
    texts = [rule.expression for group in alerts.groups(LINKS) for rule in group.rules]
    return {name for text in [*texts, infrastructure.render(LINKS)] for name in METRIC.findall(text)}


def test_every_collector_may_read_what_it_wants(samples):
    collectors = samples["pg_scrape_collector_success"]
    assert len(collectors) > 3
    assert set(collectors) == {1}
    assert samples["pg_exporter_last_scrape_error"] == [0]


def test_every_metric_that_is_asked_for_is_shown_and_stored(samples):
    dropped = re.compile("|".join(postgres_exporter.DROPPED))
    assert len(named()) > 5
    assert named() <= {name for name in samples if not dropped.fullmatch(name)}


def test_what_nobody_looks_at_is_not_stored(samples):
    dropped = re.compile("|".join(postgres_exporter.DROPPED))
    stored = {name: len(series) for name, series in samples.items() if not dropped.fullmatch(name)}
    assert sum(stored.values()) < 600, stored
