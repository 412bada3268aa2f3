"""Prometheus's configuration file and command line, from the scrape jobs that the services declare."""

from collections.abc import Iterable
from typing import Any

import yaml

from configs.scrape import ScrapeJob

_LONGEST_SCRAPE_SECONDS = 10


def flags(*, config_file: str, data: str, retention_seconds: int, retention_bytes: int) -> list[str]:
    """Return the server's arguments; samples go at whichever limit is reached first.

    Neither the lifecycle nor the admin API is switched on: whoever reaches the port could stop the server
    or delete its data.
    """
    return [
        f"--config.file={config_file}",
        f"--storage.tsdb.path={data}",
        f"--storage.tsdb.retention.time={retention_seconds}s",
        f"--storage.tsdb.retention.size={retention_bytes}B",
    ]


def render(jobs: Iterable[ScrapeJob], *, stack: str, scrape_interval: int) -> str:
    """Return ``prometheus.yml``: all jobs by name, each every ``scrape_interval`` seconds or as it says.

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
        "scrape_configs": [_job(job) for job in ordered],
    }
    return yaml.safe_dump(config, sort_keys=False)


def _timeout(interval: int) -> str:
    """As long as the interval allows, since Prometheus refuses a longer one."""
    return f"{min(interval, _LONGEST_SCRAPE_SECONDS)}s"


def _job(job: ScrapeJob) -> dict[str, Any]:
    group: dict[str, Any] = {"targets": sorted(job.targets)}
    if job.labels:
        group["labels"] = dict(sorted(job.labels.items()))
    config: dict[str, Any] = {"job_name": job.name, "metrics_path": job.path, "static_configs": [group]}
    if job.interval is not None:
        config |= {"scrape_interval": f"{job.interval}s", "scrape_timeout": _timeout(job.interval)}
    if job.username is not None:
        config["basic_auth"] = {"username": job.username, "password_file": job.password_file}
    return config
