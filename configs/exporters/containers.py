"""Shows a stack's containers to Prometheus: ``containers.py --project p --stack s --service postgres …``.

It reads the engine's own records of its containers and the kernel's control groups, of both versions, so that
no container is given the engine's socket. The records hold environments too: the fields named here are kept,
and nothing of them is ever printed. What cannot be known this way is left out: newer engines do not write the
verdicts of health checks to disk, and network bytes are counted where only the container itself can look.

One page, ``/metrics``; whatever cannot be read fails the whole scrape, lest an alert clears for want of data.
"""

import argparse
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from control_groups import ControlGroups, table
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

_RECORDS = Path("/host/containers")
_CONTROL_GROUPS = Path("/host/cgroup")
_HOST_COUNTS = Path("/proc/vmstat")
_PORT = 9103
_NEVER = "0001-"
_SERVICE = "mlops.service"

_COUNTERS = {
    "container_restarts": "Times that the engine restarted the container by itself.",
    "container_oom_events": "Processes of the container that were killed for want of memory.",
    "container_cpu_usage_seconds": "CPU time.",
    "container_cpu_cfs_periods": "Periods in which a CPU quota was in force.",
    "container_cpu_cfs_throttled_periods": "Periods in which the CPU quota was used up.",
    "container_cpu_cfs_throttled_seconds": "Time spent waiting for the next period.",
    "container_fs_reads_bytes": "Bytes read from block devices.",
    "container_fs_writes_bytes": "Bytes written to block devices.",
}
_GAUGES = {
    "container_running": "Whether a service that is meant to run does: not stopped, paused or gone.",
    "container_exit_code": "Exit code of a one-shot step that has ended.",
    "container_start_time_seconds": "When the container was last started.",
    "container_memory_usage_bytes": "Memory, file cache included.",
    "container_memory_working_set_bytes": "Memory without the file cache that was not used lately.",
    "container_memory_rss": "Anonymous memory.",
    "container_memory_total_active_file_bytes": "File cache that was used lately; it can be given back.",
    "container_spec_memory_limit_bytes": "Memory limit.",
    "container_threads": "Threads and processes.",
    "container_threads_max": "Limit of threads and processes.",
}


@dataclass(frozen=True)
class Record:
    """What the engine says of one container; times in seconds since the epoch, None for never."""

    container: str
    service: str
    is_step: bool
    runs: bool
    started: float | None
    finished: float | None
    exit_code: int
    restarts: int


class Records:
    """The engine's records of one stack's containers."""

    def __init__(self, directory: Path, *, project: str, stack: str) -> None:
        """``directory`` is the engine's: one directory for each container, named by its id."""
        self._directory = directory
        self._wanted = {"mlops.project": project, "mlops.stack": stack}
        self._known: dict[str, tuple[tuple[int, ...], Record | None]] = {}

    def read(self) -> dict[str, Record]:
        """One record for each service, the newest where a container was left over beside its successor."""
        found: dict[str, tuple[tuple[int, ...], Record | None]] = {}
        for directory in self._directory.iterdir():
            file = directory / "config.v2.json"
            try:
                version = _version(file)
                known = self._known.get(directory.name)
                same = known is not None and known[0] == version
                found[directory.name] = known if same else (version, self._parse(directory.name, file))
            except FileNotFoundError:
                continue  # removed, or not yet written, while we looked
        self._known = found
        ours = [record for _, record in found.values() if record is not None]
        return {record.service: record for record in sorted(ours, key=lambda r: (r.runs, r.started or 0))}

    def _parse(self, container: str, file: Path) -> Record | None:
        content = json.loads(file.read_bytes())
        labels, state = content["Config"]["Labels"] or {}, content["State"]
        if any(labels.get(name) != value for name, value in self._wanted.items()) or _SERVICE not in labels:
            return None
        return Record(
            container=container,
            service=labels[_SERVICE],
            is_step=labels.get("mlops.role") == "one-shot",
            runs=state["Running"] and not (state["Restarting"] or state["Paused"]),
            started=_moment(state["StartedAt"]),
            finished=_moment(state["FinishedAt"]),
            exit_code=state["ExitCode"],
            restarts=content["RestartCount"],
        )


def _version(file: Path) -> tuple[int, ...]:
    """What changes with each new content; the engine puts a new file in the old one's place."""
    status = file.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _moment(text: str) -> float | None:
    return None if text.startswith(_NEVER) else datetime.fromisoformat(text).timestamp()


@dataclass
class _Life:
    """One container's run, and the kills that were counted so far: by its group, and in all."""

    started: float | None
    restarts: int
    kills: float
    total: float = 0.0


class OutOfMemoryKills:
    """Counts kills for want of memory by container, those included that ended it.

    A control group ends with its container's run, and newer engines forget at the restart why it ended. The
    host's own count stays: a kill that no group accounts for is that of a container that the engine had to
    restart since.
    """

    def __init__(self) -> None:
        self._lives: dict[str, _Life] = {}
        self._host: float | None = None

    def count(self, records: Iterable[Record], counted: Mapping[str, float], host: float) -> dict[str, float]:
        """Kills by container id since the first call.

        Args:
            records: the containers.
            counted: kills that the groups have counted, by container id; none for what does not run.
            host: kills that the host has counted.
        """
        unexplained = 0.0 if self._host is None else host - self._host
        lives, crashed = {}, []
        for record in records:
            before = 0.0 if self._host is not None else counted.get(record.container, 0.0)
            life = self._lives.get(record.container) or _Life(record.started, record.restarts, before)
            if record.restarts > life.restarts:
                crashed.append(life)
            if record.started != life.started:
                life.kills = 0.0
            kills = counted.get(record.container, life.kills)
            life.total += kills - life.kills
            unexplained -= kills - life.kills
            life.started, life.restarts, life.kills = record.started, record.restarts, kills
            lives[record.container] = life
        for life in crashed:
            if unexplained > 0:
                life.total += 1
                unexplained -= 1
        self._lives, self._host = lives, host
        return {container: life.total for container, life in lives.items()}


class ContainerCollector:
    """Asks records and control groups at each scrape."""

    def __init__(
        self, records: Records, groups: ControlGroups, *, services: Sequence[str], host_counts: Path
    ) -> None:
        """``services`` are meant to run, whether there is a container of that name or not."""
        self._records, self._groups, self._services = records, groups, services
        self._host_counts = host_counts
        self._kills = OutOfMemoryKills()
        self._one_at_a_time = threading.Lock()

    def collect(self) -> list[Metric]:
        """All metrics, labelled by service."""
        with self._one_at_a_time:
            families = {
                name: CounterMetricFamily(name, text, labels=["service"]) for name, text in _COUNTERS.items()
            }
            families |= {
                name: GaugeMetricFamily(name, text, labels=["service"]) for name, text in _GAUGES.items()
            }
            for service, name, value in self._samples():
                families[name].add_metric([service], value)
            return list(families.values())

    def _samples(self) -> Iterator[tuple[str, str, float]]:
        records = self._records.read()
        usage = self._groups.read(record.container for record in records.values() if record.runs)
        kills = self._kills.count(
            records.values(),
            {container: values.pop("container_oom_events", 0.0) for container, values in usage.items()},
            table(self._host_counts).get("oom_kill", 0.0),
        )
        for service in sorted({*self._services, *records}):
            record = records.get(service)
            if record is None:
                yield service, "container_running", 0
                continue
            yield from ((service, name, value) for name, value in usage.get(record.container, {}).items())
            yield service, "container_oom_events", kills[record.container]
            yield from ((service, name, value) for name, value in _state(record).items())


def _state(record: Record) -> dict[str, Any]:
    if record.is_step:
        ended = not record.runs and record.finished is not None
        return {"container_exit_code": record.exit_code} if ended else {}
    started = {} if record.started is None else {"container_start_time_seconds": record.started}
    return {"container_running": record.runs, "container_restarts": record.restarts, **started}


def main() -> None:
    """Serve the page until the process is stopped."""
    parser = argparse.ArgumentParser(description="metrics of a stack's containers")
    parser.add_argument("--project", required=True)
    parser.add_argument("--stack", required=True)
    parser.add_argument("--service", action="append", default=[], help="a service that is meant to run")
    given = parser.parse_args()
    registry = CollectorRegistry()
    registry.register(
        ContainerCollector(
            Records(_RECORDS, project=given.project, stack=given.stack),
            ControlGroups(_CONTROL_GROUPS),
            services=given.service,
            host_counts=_HOST_COUNTS,
        )
    )
    _, thread = start_http_server(_PORT, registry=registry)
    thread.join()


if __name__ == "__main__":
    main()
