"""Prometheus's file and flags, judged by promtool and by the server itself.

Decides whether the version of this image set accepts them and scrapes as told. Cannot decide whether the
targets of a real stack answer, nor anything about the other image set's version.
"""

import json
import time
import urllib.request

import pytest
import yaml

from configs import prometheus
from configs.rules import AlertRule, RuleGroup, render
from configs.scrape import ScrapeJob

USER = "65534:0"
CONFIG = "/etc/prometheus/prometheus.yml"
RULES = "/etc/prometheus/rules"
PASSWORD = "/run/secrets/reader_password"
JOBS = (
    ScrapeJob(name="statsd-exporter", targets=("statsd-exporter:9102",), labels={"tier": "metrics"}),
    ScrapeJob(name="prometheus", targets=("localhost:9090",)),
    ScrapeJob(
        name="secured",
        targets=("b:1", "a:1"),
        interval=30,
        path="/m",
        username="reader",
        password_file=PASSWORD,
    ),
    ScrapeJob(
        name="itself-again",
        targets=("localhost:9090",),
        labels={"job": "another", "instance": "a page"},
        params={"part": "all"},
        drop=("go_.*", "process_cpu_seconds_total"),
    ),
)


def rendered(jobs=JOBS, scrape_interval=5):
    return prometheus.render(
        jobs,
        stack="dev",
        scrape_interval=scrape_interval,
        rule_files=f"{RULES}/*.yml",
        alertmanager="localhost:9093",
    )


def check(run_in_image, text):
    files = {CONFIG: text, PASSWORD: "secret"}
    return run_in_image(
        "prometheus", ["check", "config", CONFIG], files, user=USER, entrypoint="/bin/promtool"
    )


def asked(server, path):
    with urllib.request.urlopen(server.url(9090, path)) as answer:
        return json.load(answer)["data"]


def scraped(server):
    """The active targets, once Prometheus has found them and read itself by both jobs."""
    for _ in range(100):
        targets = asked(server, "/api/v1/targets")["activeTargets"]
        if sum(target["health"] == "up" for target in targets) == 2:
            return targets
        time.sleep(0.2)
    return pytest.fail(f"Prometheus did not scrape itself:\n{server.log()}")


@pytest.mark.parametrize("scrape_interval", [1, 5, 30])
def test_promtool_accepts_the_file(run_in_image, scrape_interval):
    verdict = check(run_in_image, rendered(scrape_interval=scrape_interval))
    assert verdict.returncode == 0, verdict.stderr.decode()


def test_promtool_accepts_a_stack_without_jobs(run_in_image):
    assert check(run_in_image, rendered(jobs=())).returncode == 0


def test_promtool_would_refuse_a_wrong_file(run_in_image):
    assert check(run_in_image, rendered() + "surplus: 1\n").returncode != 0


@pytest.fixture(scope="module")
def server(serve_in_image):
    """A server that has read itself."""
    flags = prometheus.flags(
        config_file=CONFIG,
        data="/prometheus",
        public_url="http://metrics.example:9090",
        retention_seconds=1296000,
        retention_bytes=4 * 2**30,
    )
    rule = AlertRule(name="A", expression="up == 0", severity="info", summary="s", description="d")
    rules = {
        f"{RULES}/{name}.yml": render(RuleGroup(component=name, rules=(rule,)), runbooks="r") for name in "bc"
    }
    files = {CONFIG: rendered(scrape_interval=1), PASSWORD: "secret", **rules}
    started = serve_in_image("prometheus", flags, files, user=USER, ports=[9090])
    started.wait(started.url(9090, "/-/ready"))
    scraped(started)
    return started


def test_the_flags_are_in_force(server):
    flags_in_force = asked(server, "/api/v1/status/flags")
    assert flags_in_force["storage.tsdb.retention.time"] == "15d"
    assert flags_in_force["storage.tsdb.retention.size"] == "4GiB"
    assert flags_in_force["web.external-url"] == "http://metrics.example:9090"
    assert flags_in_force["web.enable-lifecycle"] == "false"
    assert flags_in_force["web.enable-admin-api"] == "false"


def test_jobs_are_scraped_as_they_say(server):
    targets = {target["scrapePool"]: target for target in scraped(server)}
    assert targets.keys() == {job.name for job in JOBS}
    assert {target["labels"]["stack"] for target in targets.values()} == {"dev"}
    assert targets["secured"]["scrapeInterval"] == "30s"
    assert targets["itself-again"]["labels"] == {"job": "another", "instance": "a page", "stack": "dev"}
    assert targets["itself-again"]["scrapeUrl"] == "http://localhost:9090/metrics?part=all"


def test_dropped_metrics_are_not_stored(server):
    jobs = {
        name: {each["job"] for each in asked(server, f"/api/v1/series?match[]={name}")}
        for name in ("go_goroutines", "process_cpu_seconds_total", "process_open_fds")
    }
    assert jobs == {
        "go_goroutines": {"prometheus"},
        "process_cpu_seconds_total": {"prometheus"},
        "process_open_fds": {"prometheus", "another"},
    }


def test_all_rule_files_are_read_and_alerts_are_sent(server):
    assert {group["name"] for group in asked(server, "/api/v1/rules")["groups"]} == {"b", "c"}
    receivers = asked(server, "/api/v1/alertmanagers")["activeAlertmanagers"]
    assert [receiver["url"] for receiver in receivers] == ["http://localhost:9093/api/v2/alerts"]


def test_same_jobs_in_another_order_make_the_same_file():
    assert rendered() == rendered(jobs=reversed(JOBS))


def test_every_sample_that_leaves_the_stack_names_it():
    assert yaml.safe_load(rendered())["global"]["external_labels"] == {"stack": "dev"}


def test_two_jobs_of_one_name_are_refused():
    with pytest.raises(ValueError, match="two scrape jobs are named prometheus"):
        rendered(jobs=(*JOBS, JOBS[1]))


@pytest.mark.parametrize("half", [{"username": "reader"}, {"password_file": PASSWORD}])
def test_half_a_login_is_refused(half):
    with pytest.raises(ValueError, match="both a user name and a password file"):
        ScrapeJob(name="secured", targets=("a:1",), **half)


def test_a_job_without_target_is_refused():
    with pytest.raises(ValueError, match="no target"):
        ScrapeJob(name="empty", targets=())
