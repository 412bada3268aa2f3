"""Prometheus's configuration file and command line, from the scrape jobs that the services declare."""

from collections.abc import Iterable
from typing import Any

import yaml

from configs.scrape import ScrapeJob

_LONGEST_SCRAPE_SECONDS = 10


def flags(
    *, config_file: str, data: str, public_url: str, retention_seconds: int, retention_bytes: int
) -> list[str]:
    """Return the server's arguments; samples go at whichever limit is reached first.

    ``public_url`` is where browsers reach the server: an alert's own link leads there.

    Neither the lifecycle nor the admin API is switched on: whoever reaches the port could stop the server
    or delete its data.
    """
    return [
        f"--config.file={config_file}",
        f"--web.external-url={public_url}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={retention_seconds}s",
        f"--storage.tsdb.retention.size={retention_bytes}B",
    ]


def render(
    jobs: Iterable[ScrapeJob], *, stack: str, scrape_interval: int, rule_files: str, alertmanager: str
) -> str:
    """Return ``prometheus.yml``: all jobs by name, each every ``scrape_interval`` seconds or as it says.

    Args:
        jobs: what is scraped.
        stack: label of every sample and alert, also of those that leave Prometheus.
        scrape_interval: seconds between scrapes, and between evaluations of rules that say no other.
        rule_files: path of the alert rules, with a wildcard.
        alertmanager: ``host:port`` that alerts are sent to.

    Raises:
        ValueError: two jobs have one name.
    """
    ordered = sorted(jobs, key=lambda job: job.name)
    names = [job.name for job in ordered]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        message = f"two scrape jobs are named {', '.join(sorted(twice))}"
        raise ValueError(message)
    config = {
        "global": {
            "scrape_interval": f"{scrape_interval}s",
            "scrape_timeout": _timeout(scrape_interval),
            "evaluation_interval": f"{scrape_interval}s",
            "external_labels": {"stack": stack},
        },
        "rule_files": [rule_files],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [_job(job, stack) for job in ordered],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _timeout(interval: int) -> str:
    """As long as the interval allows, since Prometheus refuses a longer one."""
    return f"{min(interval, _LONGEST_SCRAPE_SECONDS)}s"


def _job(job: ScrapeJob, stack: str) -> dict[str, Any]:
    labels = {"stack": stack, **job.labels}
    group = {"targets": sorted(job.targets), "labels": dict(sorted(labels.items()))}
    config: dict[str, Any] = {"job_name": job.name, "metrics_path": job.path, "static_configs": [group]}
    if job.params:
        config["params"] = {name: [value] for name, value in sorted(job.params.items())}
    if job.drop:
        config["metric_relabel_configs"] = [
            {"source_labels": ["__name__"], "regex": "|".join(job.drop), "action": "drop"}
        ]
    if job.interval is not None:
        config |= {"scrape_interval": f"{job.interval}s", "scrape_timeout": _timeout(job.interval)}
    if job.username is not None:
        config["basic_auth"] = {"username": job.username, "password_file": job.password_file}
    return config
