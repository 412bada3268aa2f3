"""The blackbox exporter's configuration, and the scrape jobs by which Prometheus has it ask each page."""

from collections.abc import Iterable
from typing import Any

import yaml

from configs.scrape import ScrapeJob
from configs.watch import Probe, Watch

PORT = 9115
_JOB = "probe"
_MODULE = "http_2xx"
_INTERVAL_SECONDS = 10
# Below the time of a scrape, which is the interval here, so that a late answer is a failed probe and not a
# failed scrape. As long as that allows, since a busy machine's pages take seconds and are not down.
_TIMEOUT_SECONDS = 8


def render(watches: Iterable[Watch]) -> str:
    """Return the configuration: one module for all pages, and one for each that has a text to match."""
    modules = {_MODULE: _module({})}
    for name, probe in _named(watches):
        if probe.body is not None:
            modules[name] = _module({"fail_if_body_not_matches_regexp": [probe.body]})
    return yaml.safe_dump({"modules": modules}, sort_keys=True)


def scrape_jobs(watches: Iterable[Watch]) -> tuple[ScrapeJob, ...]:
    """One scrape job for each page, all with the label ``job`` of value ``probe``.

    Their samples are ``probe_success`` and ``probe_duration_seconds`` with the labels ``service`` and
    ``instance``, the latter being the page's address.

    Raises:
        ValueError: one page is declared twice.
    """
    return tuple(
        ScrapeJob(
            name=name,
            targets=(f"blackbox-exporter:{PORT}",),
            path="/probe",
            interval=_INTERVAL_SECONDS,
            labels={"job": _JOB, "service": probe.service, "instance": probe.url},
            params={"target": probe.url, "module": _MODULE if probe.body is None else name},
        )
        for name, probe in _named(watches)
    )


def _named(watches: Iterable[Watch]) -> list[tuple[str, Probe]]:
    """All probes in an order of their own, each with a name; a service may have several."""
    probes = sorted(
        (probe for watch in watches for probe in watch.probes), key=lambda probe: (probe.service, probe.url)
    )
    urls = [probe.url for probe in probes]
    twice = sorted({url for url in urls if urls.count(url) > 1})
    if twice:
        message = f"two probes ask {', '.join(twice)}"
        raise ValueError(message)
    services = [probe.service for probe in probes]
    numbers = [services[:index].count(service) + 1 for index, service in enumerate(services)]
    return [
        (f"{_JOB}-{probe.service}" + (f"-{number}" if number > 1 else ""), probe)
        for probe, number in zip(probes, numbers, strict=True)
    ]


def _module(http: dict[str, Any]) -> dict[str, Any]:
    return {
        "prober": "http",
        "timeout": f"{_TIMEOUT_SECONDS}s",
        "http": {"preferred_ip_protocol": "ip4", **http},
    }
