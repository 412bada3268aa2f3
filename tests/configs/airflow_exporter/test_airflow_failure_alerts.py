"""The way of a failure from Airflow's database to a firing alert, through the exporter and Prometheus.

Decides that an alert fires for the first failure ever, within seconds, that it outlives restarts of both, and
that it ends with a later success. Cannot decide how long Alertmanager and its receivers take.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from elastic.containers import address, wait_for

from components.airflow_exporter import AirflowExporter
from configs import prometheus
from configs.alerts import airflow as alerts
from configs.links import Links
from configs.rules import render

LINKS = Links(stack="test", airflow="http://airflow.example", prometheus="http://prometheus.example")
CONFIG = "/etc/prometheus/prometheus.yml"
RULES = "/etc/prometheus/rules/failures.yml"
# Two seconds until the next scrape, two until the next evaluation, and some for a busy machine.
WITHIN_SECONDS = 8


@pytest.fixture
def server(net, exporter):
    """A Prometheus that knows the exporter and the alerts about failures."""
    del exporter
    group = next(group for group in alerts.groups(LINKS) if group.component == alerts.FAILURES)
    configuration = prometheus.render(
        AirflowExporter.watch(LINKS).scrape_jobs,
        stack="test",
        scrape_interval=5,
        rule_files="/etc/prometheus/rules/*.yml",
        alertmanager="alertmanager:9093",
    )
    made = net.start(
        "prometheus",
        user="65534:0",
        command=prometheus.flags(
            config_file=CONFIG,
            data="/prometheus",
            public_url=LINKS.prometheus,
            retention_seconds=86400,
            retention_bytes=2**30,
        ),
        files={CONFIG: configuration, RULES: render(group, runbooks="docs/runbooks")},
        port=9090,
    )
    wait_for("first scrape", lambda: asked(made) == 1)
    return made


def get(server, path: str):
    """The answer's data, None while there is nobody to answer."""
    try:
        with urllib.request.urlopen(f"{address(server, 9090)}{path}", timeout=5) as answer:
            return json.load(answer)["data"]
    except (urllib.error.URLError, ConnectionError, KeyError, IndexError):
        return None


def asked(server) -> float | None:
    """Whether the exporter answered the last scrape."""
    found = get(server, "/api/v1/query?query=up%7Bjob%3D%22airflow-exporter%22%7D")
    return float(found["result"][0]["value"][1]) if found and found["result"] else None


def firing(server) -> dict[str, str]:
    """Firing alerts by name, with the run that they are about."""
    found = get(server, "/api/v1/alerts") or {"alerts": []}
    return {
        alert["labels"]["alertname"]: alert["labels"]["run_id"]
        for alert in found["alerts"]
        if alert["state"] == "firing"
    }


def evaluated(server) -> str | None:
    """When the rules were last evaluated."""
    found = get(server, "/api/v1/rules")
    return found["groups"][0]["lastEvaluation"] if found else None


def soon(what: str, answer: Callable[[], bool]) -> None:
    wait_for(what, answer, seconds=WITHIN_SECONDS)


def test_a_failure_is_told_within_seconds_and_until_it_is_over(rows, exporter, server):
    both = {"AirflowTaskFailed": "first", "AirflowDagRunFailed": "first"}
    rows.dag()
    rows.run("first", "running")
    rows.task("first", "t", "failed")
    soon("alert about the task", lambda: firing(server) == {"AirflowTaskFailed": "first"})
    rows.execute("update dag_run set state = 'failed', end_date = now()")
    soon("alert about the run", lambda: firing(server) == both)

    exporter.stop(timeout=5)
    wait_for("failed scrape", lambda: asked(server) == 0)
    for _ in range(2):
        before = evaluated(server)
        wait_for("evaluation", lambda before=before: evaluated(server) not in (None, before))
        assert firing(server) == both
    server.restart(timeout=10)
    wait_for("alerts after the restart of Prometheus", lambda: firing(server) == both)
    exporter.start()
    wait_for("scrape", lambda: asked(server) == 1)
    assert firing(server) == both

    rows.run("second", "failed", ended=-1)
    rows.task("second", "t", "failed")
    other = dict.fromkeys(both, "second")
    soon("alerts about the second run", lambda: firing(server) == other)
    rows.run("third", "success", ended=-2)
    soon("end of the alerts", lambda: firing(server) == {})
