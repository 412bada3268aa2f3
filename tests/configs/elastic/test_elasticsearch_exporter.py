"""The Elasticsearch exporter beside the real server, as the user that the set-up step makes for it.

Decides whether that user may read all that the alerts need, and what the exporter shows when the server does
not answer. Cannot decide anything about the other image set's versions.
"""

import re
import urllib.request

import pytest
from conftest import SECRETS
from containers import address, execute, wait_for

from configs import elasticsearch_exporter as exporter
from configs.alerts import elasticsearch as alerts
from configs.links import Links

PASSWORD = "elastic_monitor_password"
LOST = "elasticsearch_cluster_health_number_of_nodes"


@pytest.fixture(scope="module")
def container(log_store):
    started = log_store.network.start(
        "elasticsearch-exporter",
        user="65534:0",
        memory=64 * 2**20,
        entrypoint=exporter.entrypoint(password_file=f"/run/secrets/{PASSWORD}"),
        command=exporter.flags(),
        environment=exporter.environment(),
        secrets={PASSWORD: SECRETS[PASSWORD]},
        port=exporter.PORT,
    )
    wait_for("exporter", lambda: LOST in names(started), seconds=30)
    return started


def page(container):
    try:
        with urllib.request.urlopen(f"{address(container, exporter.PORT)}/metrics", timeout=15) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def names(container):
    """The metrics on the page that are stored."""
    found = {re.match(r"\w+", line)[0] for line in page(container).splitlines() if line[:1].isalpha()}
    return {name for name in found if not any(re.fullmatch(dropped, name) for dropped in exporter.DROP)}


def test_every_metric_of_the_alerts_is_there(container):
    expressions = [
        rule.expression
        for group in alerts.groups(Links(stack="here", airflow="", prometheus=""))
        for rule in group.rules
    ]
    named = {name for text in expressions for name in re.findall(r"\belasticsearch_\w+", text)}
    assert len(named) > 15
    assert named <= names(container)


def test_watermarks_are_those_that_the_server_was_given(container):
    found = dict(
        re.findall(r"^elasticsearch_\w+_watermark_(\w+)_bytes ([\d.e+]+)$", page(container), re.MULTILINE)
    )
    assert {name: float(value) / 2**30 for name, value in found.items()} == {
        "low": 4,
        "high": 3,
        "flood_stage": 1,
    }


def test_the_password_is_neither_in_the_container_s_description_nor_in_its_log(log_store, container):
    described = str(log_store.network.engine.api.inspect_container(container.id))
    assert SECRETS[PASSWORD] not in described + container.logs().decode()
    assert PASSWORD in described


def test_a_server_that_does_not_answer_leaves_no_figures_and_no_password(log_store, container):
    log_store.container.pause()
    try:
        shown = names(container)
    finally:
        log_store.container.unpause()
    assert LOST not in shown
    assert "elasticsearch_exporter_build_info" in shown
    assert SECRETS[PASSWORD] not in container.logs().decode()
    wait_for("figures", lambda: LOST in names(container), seconds=30)


def test_without_a_password_it_does_not_start(log_store):
    started = log_store.network.start(
        "elasticsearch-exporter",
        alias="blind",
        user="65534:0",
        entrypoint=exporter.entrypoint(password_file="/run/secrets/absent"),
        command=exporter.flags(),
        environment=exporter.environment(),
    )
    assert started.wait(timeout=30)["StatusCode"] == 1


def test_the_health_probe_is_there(container):
    code, _ = execute(
        container, ["wget", "-q", "-O", "/dev/null", f"http://localhost:{exporter.PORT}/healthz"]
    )
    assert code == 0
