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
from configs.scrape import ScrapeJob

USER = "65534:0"
CONFIG = "/etc/prometheus/prometheus.yml"
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
)


def rendered(jobs=JOBS, scrape_interval=5):
    return prometheus.render(jobs, stack="dev", scrape_interval=scrape_interval)


def check(run_in_image, text):
    files = {CONFIG: text, PASSWORD: "secret"}
    return run_in_image(
        "prometheus", ["check", "config", CONFIG], files, user=USER, entrypoint="/bin/promtool"
    )


def scraped(server):
    """The active targets, once Prometheus has found them and read itself."""
    for _ in range(100):
        with urllib.request.urlopen(server.url(9090, "/api/v1/targets")) as answer:
            targets = json.load(answer)["data"]["activeTargets"]
        if any(target["health"] == "up" for target in targets):
            return targets
        time.sleep(0.2)
    return pytest.fail(f"Prometheus did not scrape itself:\n{server.log()}")


@pytest.mark.parametrize("scrape_interval", [1, 5, 300])
def test_promtool_accepts_the_file(run_in_image, scrape_interval):
    verdict = check(run_in_image, rendered(scrape_interval=scrape_interval))
    assert verdict.returncode == 0, verdict.stderr.decode()


def test_promtool_accepts_a_stack_without_jobs(run_in_image):
    assert check(run_in_image, rendered(jobs=())).returncode == 0


def test_promtool_would_refuse_a_wrong_file(run_in_image):
    assert check(run_in_image, rendered() + "surplus: 1\n").returncode != 0


def test_the_server_runs_with_the_flags_and_scrapes_itself(serve_in_image):
    flags = prometheus.flags(
        config_file=CONFIG, data="/prometheus", retention_seconds=1296000, retention_bytes=4 * 2**30
    )
    files = {CONFIG: rendered(scrape_interval=1), PASSWORD: "secret"}
    server = serve_in_image("prometheus", flags, files, user=USER, ports=[9090])
    server.wait(server.url(9090, "/-/ready"))
    with urllib.request.urlopen(server.url(9090, "/api/v1/status/flags")) as answer:
        flags_in_force = json.load(answer)["data"]
    assert flags_in_force["storage.tsdb.retention.time"] == "15d"
    assert flags_in_force["storage.tsdb.retention.size"] == "4GiB"
    assert flags_in_force["web.enable-lifecycle"] == "false"
    assert flags_in_force["web.enable-admin-api"] == "false"
    targets = scraped(server)
    assert {target["labels"]["job"] for target in targets} == {"statsd-exporter", "prometheus", "secured"}
    assert {target["scrapeInterval"] for target in targets if target["labels"]["job"] == "secured"} == {"30s"}


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
