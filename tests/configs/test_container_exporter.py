"""The container exporter on the real engine, with containers that run, end, fail and run out of memory.

Decides what it shows on this machine: its engine's records, its version of control groups, and that being
root without any capability suffices. Cannot decide anything about the other version or another engine's
records; tests/unit has made-up ones.
"""

import re
import urllib.error
import urllib.request
import uuid

import pytest
from prometheus_client.parser import text_string_to_metric_families

from configs import container_exporter
from configs.alerts import containers as alerts
from configs.links import Links
from tests.configs.elastic.containers import address, execute, network, wait_for

PROJECT = f"configs-{uuid.uuid4().hex[:8]}"
LIMIT = 64 * 2**20
TOO_MUCH = "python3 -c 'x = bytearray(256 << 20)'"


def labels(service, stack="here", role="service"):
    return {
        "mlops.project": PROJECT,
        "mlops.stack": stack,
        "mlops.service": service,
        "mlops.role": role,
    }


@pytest.fixture(scope="module")
def stack(image_set):
    """A network, and what runs a shell on it under a service's labels."""
    with network(image_set) as made:

        def run(service, script, *, image="statsd-exporter", **options):
            limits = {"memory": LIMIT, "memswap_limit": LIMIT, "pids_limit": 64}
            options = {"labels": labels(service), **limits, **options}
            return made.start(image, alias=service, entrypoint=["sh", "-c", script], **options)

        made.run = run
        yield made


@pytest.fixture(scope="module")
def exporter(stack, docker):
    """The exporter, as the platform runs it."""
    root = docker("info", "--format", "{{.DockerRootDir}}").stdout.decode().strip()
    container = stack.start(
        "airflow",
        alias="container-exporter",
        user="0:0",
        memory=96 * 2**20,
        labels=labels("container-exporter"),
        entrypoint=container_exporter.command(
            project=PROJECT, stack="here", services=["sleeper", "gone", "container-exporter"]
        ),
        files=container_exporter.files(),
        volumes=[
            f"{root}/containers:{container_exporter.RECORDS}:ro",
            f"/sys/fs/cgroup:{container_exporter.CONTROL_GROUPS}:ro",
        ],
        port=container_exporter.PORT,
    )
    wait_for("answer", lambda: page(container))
    return container


def page(exporter):
    try:
        with urllib.request.urlopen(
            f"{address(exporter, container_exporter.PORT)}/metrics", timeout=5
        ) as answer:
            return answer.read().decode()
    except (urllib.error.URLError, ConnectionError):
        return None


def metrics(exporter):
    """Metric -> service -> value."""
    found = {}
    for family in text_string_to_metric_families(page(exporter)):
        for sample in family.samples:
            found.setdefault(sample.name, {})[sample.labels["service"]] = sample.value
    return found


def test_what_runs_what_is_missing_and_nobody_else(stack, exporter):
    stack.run("sleeper", "sleep 600")
    stack.run("stranger", "sleep 600", labels=labels("stranger", stack="other"))
    found = wait_for(
        "sleeper", lambda: (now := metrics(exporter))["container_running"].get("sleeper") and now
    )
    assert found["container_running"] == {"sleeper": 1, "gone": 0, "container-exporter": 1}
    assert found["container_spec_memory_limit_bytes"]["sleeper"] == LIMIT
    assert 0 < found["container_memory_working_set_bytes"]["sleeper"] < LIMIT
    assert found["container_cpu_usage_seconds_total"]["container-exporter"] > 0.01
    assert found["container_threads"]["sleeper"] >= 1


def test_a_step_tells_how_it_ended(stack, exporter):
    stack.run("failing-step", "exit 3", labels=labels("failing-step", role="one-shot"))
    stack.run("step", "true", labels=labels("step", role="one-shot"))
    codes = wait_for(
        "two exit codes",
        lambda: len(codes := metrics(exporter).get("container_exit_code", {})) == 2 and codes,
    )
    assert codes == {"failing-step": 3, "step": 0}


def test_a_stopped_container_and_a_removed_one_do_not_run(stack, exporter):
    container = stack.run("stopped", "sleep 600", stop_signal="SIGKILL")
    wait_for("start", lambda: metrics(exporter)["container_running"].get("stopped") == 1)
    container.stop()
    wait_for("stop", lambda: metrics(exporter)["container_running"].get("stopped") == 0, seconds=10)
    assert "stopped" not in metrics(exporter)["container_memory_usage_bytes"]
    container.remove()
    stack.containers.remove(container)
    wait_for("removal", lambda: "stopped" not in metrics(exporter)["container_running"], seconds=10)


def test_kills_for_want_of_memory_of_a_child_and_of_the_container_itself(stack, exporter):
    """The first one leaves the container running; with the second, its control group is gone too."""
    always = {"restart_policy": {"Name": "unless-stopped"}, "image": "airflow"}
    told = "until test -e /tmp/go; do sleep 0.1; done; rm /tmp/go;"
    victims = [
        stack.run("parent", f"{told} {TOO_MUCH}; sleep 600", **always),
        stack.run("alone", f"{told} exec {TOO_MUCH}", **always),
    ]
    wait_for("both", lambda: {"parent", "alone"} <= metrics(exporter)["container_threads"].keys())
    for victim in victims:
        execute(victim, ["touch", "/tmp/go"])
    found = wait_for(
        "kills",
        lambda: (
            (now := metrics(exporter))["container_oom_events_total"]["parent"]
            and now["container_oom_events_total"]["alone"]
            and now["container_running"]["alone"]
            and now
        ),
    )
    kills, restarts = found["container_oom_events_total"], found["container_restarts_total"]
    assert (kills["parent"], kills["alone"]) == (1, 1)
    assert (restarts["parent"], restarts["alone"]) == (0, 1)
    assert kills["container-exporter"] == 0


def test_every_metric_of_the_alerts_is_there(stack, exporter):
    stack.run("any", "sleep 600")
    stack.run("any-step", "true", labels=labels("any-step", role="one-shot"))
    links = Links(stack="here", airflow="", prometheus="")
    expressions = [rule.expression for group in alerts.groups(links) for rule in group.rules]
    named = {name for text in expressions for name in re.findall(r"container_\w+", text)}
    assert len(named) > 8
    wait_for("every metric", lambda: named <= metrics(exporter).keys(), seconds=10)


def test_nothing_of_an_environment_is_shown_or_logged(stack, exporter):
    stack.run("secretive", "sleep 600", environment={"PASSWORD": "only-for-this-test"})
    wait_for("start", lambda: metrics(exporter)["container_running"].get("secretive"))
    assert "only-for-this-test" not in page(exporter) + exporter.logs().decode()
    assert exporter.logs() == b""


def test_records_that_cannot_be_read_fail_the_whole_scrape(stack):
    """So that no alert clears because nobody could be asked."""
    blind = stack.start(
        "airflow",
        alias="blind",
        user="0:0",
        labels=labels("blind", stack="other"),
        entrypoint=container_exporter.command(project=PROJECT, stack="here", services=[]),
        files=container_exporter.files(),
        port=container_exporter.PORT,
    )

    def status():
        try:
            with urllib.request.urlopen(address(blind, container_exporter.PORT), timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (urllib.error.URLError, ConnectionError):
            return None

    assert wait_for("answer", status) == 500
