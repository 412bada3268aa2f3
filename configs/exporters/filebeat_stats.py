"""Filebeat's own figures as metrics; own code, since the one exporter for them has no maintainer any more."""

import json
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

# Together with what is spent around it, less than the shortest usual scrape.
_ANSWER_SECONDS = 2


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One metric.

    Attributes:
        name: the metric's name; a counter's without ``_total``.
        help: what it is, with its unit.
        paths: value of ``label`` -> path in the answer; the one of an unlabelled metric stands under "".
        factor: what the found number is multiplied by.
    """

    name: str
    help: str
    paths: Mapping[str, str]
    label: str = ""
    counter: bool = False
    factor: float = 1


def _gauge(name: str, text: str, path: str, *, factor: float = 1) -> Figure:
    return Figure(name=name, help=text, paths={"": path}, factor=factor)


def _counter(name: str, text: str, path: str) -> Figure:
    return Figure(name=name, help=text, paths={"": path}, counter=True)


def _counters(name: str, text: str, label: str, paths: Mapping[str, str]) -> Figure:
    return Figure(name=name, help=text, paths=paths, label=label, counter=True)


FIGURES: Sequence[Figure] = (
    _gauge("filebeat_uptime_seconds", "Since the start.", "beat.info.uptime.ms", factor=0.001),
    _gauge("filebeat_resident_memory_bytes", "Resident memory.", "beat.memstats.rss"),
    _gauge("filebeat_open_files", "Open file descriptors.", "beat.handles.open"),
    _gauge("filebeat_open_files_limit", "Most file descriptors that may be open.", "beat.handles.limit.soft"),
    _gauge("filebeat_harvesters", "Log files that are being read.", "filebeat.harvester.running"),
    _counter("filebeat_harvesters_started", "Log files opened.", "filebeat.harvester.started"),
    _counter("filebeat_harvesters_closed", "Log files closed.", "filebeat.harvester.closed"),
    _gauge("filebeat_queue_events", "Events in the queue.", "libbeat.pipeline.queue.filled.events"),
    _gauge("filebeat_queue_events_limit", "Room of the queue.", "libbeat.pipeline.queue.max_events"),
    _counter(
        "filebeat_queue_events_removed",
        "Events that left the queue, delivered or given up.",
        "libbeat.pipeline.queue.removed.events",
    ),
    _counters(
        "filebeat_pipeline_events",
        "Events on their way to the output; retried is once for each attempt to send one again.",
        "outcome",
        {
            "published": "libbeat.pipeline.events.published",
            "filtered": "libbeat.pipeline.events.filtered",
            "dropped": "libbeat.pipeline.events.dropped",
            "retried": "libbeat.pipeline.events.retry",
        },
    ),
    _counters(
        "filebeat_output_events",
        "Events by the log store's answer; failed ones, too_many_requests among them, are sent again.",
        "outcome",
        {
            "acked": "libbeat.output.events.acked",
            "duplicate": "libbeat.output.events.duplicates",
            "dead_letter": "libbeat.output.events.dead_letter",
            "dropped": "libbeat.output.events.dropped",
            "failed": "libbeat.output.events.failed",
            "too_many_requests": "libbeat.output.events.toomany",
        },
    ),
    _counters(
        "filebeat_output_errors",
        "Errors of the connection to the log store; its ordinary end is a read error.",
        "direction",
        {"read": "libbeat.output.read.errors", "write": "libbeat.output.write.errors"},
    ),
    _counters(
        "filebeat_output_bytes",
        "Bytes to and from the log store.",
        "direction",
        {"read": "libbeat.output.read.bytes", "write": "libbeat.output.write.bytes"},
    ),
)


class FilebeatCollector(Collector):
    """Asks every Filebeat at each scrape; one that does not answer leaves the others' figures alone."""

    def __init__(self, pages: Mapping[str, str]) -> None:
        """``pages``: service -> address of its ``/stats``."""
        self._pages = pages
        self._pool = ThreadPoolExecutor(max_workers=max(1, len(pages)))
        self._asked: dict[str, Future[Mapping[str, Any]]] = {}

    def describe(self) -> Sequence[Metric]:
        """Nothing beforehand: a registration would ask the Filebeats."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The metrics of all of them; ``filebeat_up`` is 0 for those that did not answer in time."""
        answers = self._ask()
        up = GaugeMetricFamily("filebeat_up", "Whether Filebeat answers.", labels=["service"])
        for service, stats in answers.items():
            up.add_metric([service], 0 if stats is None else 1)
        yield up
        yield from families({service: stats for service, stats in answers.items() if stats is not None})

    def _ask(self) -> dict[str, Mapping[str, Any] | None]:
        asked = {service: self._question(service) for service in self._pages}
        wait(asked.values(), timeout=_ANSWER_SECONDS)
        return {service: _answer(question) for service, question in asked.items()}

    def _question(self, service: str) -> Future[Mapping[str, Any]]:
        # The lookup of a name can hang for longer than any time limit; one question at a time then.
        if service not in self._asked or self._asked[service].done():
            self._asked[service] = self._pool.submit(_get, self._pages[service])
        return self._asked[service]


def families(answers: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    """The metrics of what the services answered."""
    for figure in FIGURES:
        make = CounterMetricFamily if figure.counter else GaugeMetricFamily
        labels = ["service", figure.label] if figure.label else ["service"]
        family = make(figure.name, figure.help, labels=labels)
        for service, stats in answers.items():
            for value, path in figure.paths.items():
                number = _number(stats, path)
                if number is not None:
                    family.add_metric([service, value] if figure.label else [service], number * figure.factor)
        yield family


def _number(stats: Mapping[str, Any], path: str) -> float | None:
    found: Any = stats
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, int | float) else None


def _answer(asked: Future[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    if not asked.done() or asked.exception():
        return None
    return asked.result()


def _get(page: str) -> Mapping[str, Any]:
    with urllib.request.urlopen(page, timeout=_ANSWER_SECONDS) as answer:
        return json.load(answer)
