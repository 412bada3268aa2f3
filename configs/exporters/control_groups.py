"""The kernel's accounts of containers: its control groups, of both versions and for both drivers."""

import errno
import itertools
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

_DEEPEST = 6
_MOST_DIRECTORIES = 20_000
_GROUP = re.compile(r"(?:docker-)?([0-9a-f]{64})(?:\.scope)?")
_UNLIMITED = 2**60
"""Version 1 says "no limit" by the largest number of pages."""


class ControlGroups:
    """The kernel's accounts of containers, whichever version and driver the engine uses."""

    def __init__(self, directory: Path) -> None:
        """``directory`` is the host's ``/sys/fs/cgroup``."""
        self._directory = directory
        self._unified = (directory / "cgroup.controllers").exists()
        self._places: dict[str, str] = {}

    def read(self, containers: Iterable[str]) -> dict[str, dict[str, float]]:
        """Metric -> value of each container that has a group.

        Raises:
            LookupError: there are containers, and not one of them has a group: another place is mounted.
        """
        wanted = set(containers)
        if wanted - self._places.keys():
            self._places = self._search()
        if wanted and wanted.isdisjoint(self._places):
            message = f"no control group of any of {len(wanted)} running containers below {self._directory}"
            raise LookupError(message)
        measure = self._unified_values if self._unified else self._split_values
        return {container: measure(self._places[container]) for container in wanted & self._places.keys()}

    def _search(self) -> dict[str, str]:
        root = self._directory if self._unified else self._directory / "memory"
        places = {}
        for path, directories, _ in itertools.islice(os.walk(root), _MOST_DIRECTORIES):
            below = os.path.relpath(path, root)
            for name in list(directories):
                group = _GROUP.fullmatch(name)
                if group:
                    places[group[1]] = f"{below}/{name}".removeprefix("./")
                if group or below.count("/") >= _DEEPEST:
                    directories.remove(name)
        return places

    def _unified_values(self, place: str) -> dict[str, float]:
        group = self._directory / place
        cpu, memory = table(group / "cpu.stat"), table(group / "memory.stat")
        return _known_values(
            {
                "container_cpu_usage_seconds": _scaled(cpu.get("usage_usec"), 1e-6),
                "container_cpu_cfs_periods": cpu.get("nr_periods"),
                "container_cpu_cfs_throttled_periods": cpu.get("nr_throttled"),
                "container_cpu_cfs_throttled_seconds": _scaled(cpu.get("throttled_usec"), 1e-6),
                "container_memory_rss": memory.get("anon"),
                "container_oom_events": table(group / "memory.events").get("oom_kill"),
                **_memory(
                    usage=_number(group / "memory.current"),
                    limit=_number(group / "memory.max"),
                    active_file=memory.get("active_file"),
                    inactive_file=memory.get("inactive_file"),
                ),
                **_threads(group),
                **_bytes(group / "io.stat", read="rbytes", write="wbytes"),
            }
        )

    def _split_values(self, place: str) -> dict[str, float]:
        group = {
            name: self._directory / name / place for name in ("cpu", "cpuacct", "memory", "pids", "blkio")
        }
        cpu, memory = table(group["cpu"] / "cpu.stat"), table(group["memory"] / "memory.stat")
        return _known_values(
            {
                "container_cpu_usage_seconds": _scaled(_number(group["cpuacct"] / "cpuacct.usage"), 1e-9),
                "container_cpu_cfs_periods": cpu.get("nr_periods"),
                "container_cpu_cfs_throttled_periods": cpu.get("nr_throttled"),
                "container_cpu_cfs_throttled_seconds": _scaled(cpu.get("throttled_time"), 1e-9),
                "container_memory_rss": memory.get("total_rss"),
                "container_oom_events": table(group["memory"] / "memory.oom_control").get("oom_kill"),
                **_memory(
                    usage=_number(group["memory"] / "memory.usage_in_bytes"),
                    limit=_number(group["memory"] / "memory.limit_in_bytes"),
                    active_file=memory.get("total_active_file"),
                    inactive_file=memory.get("total_inactive_file"),
                ),
                **_threads(group["pids"]),
                **_bytes(
                    group["blkio"] / "blkio.throttle.io_service_bytes_recursive", read="Read", write="Write"
                ),
            }
        )


def _text(file: Path) -> str:
    """A control file's content; empty where the kernel has no such file, or the group has just ended."""
    try:
        return file.read_text()
    except OSError as error:
        if isinstance(error, FileNotFoundError) or error.errno == errno.ENODEV:
            return ""
        raise


def _number(file: Path) -> float | None:
    text = _text(file).strip()
    return float(text) if text.isdecimal() else None


def table(file: Path) -> dict[str, float]:
    """A file of names and numbers, such as ``oom_kill 1``; empty where it is not there."""
    pairs = (line.split() for line in _text(file).splitlines())
    return {key: float(value) for key, value in pairs}


def _scaled(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _memory(
    *, usage: float | None, limit: float | None, active_file: float | None, inactive_file: float | None
) -> dict[str, float | None]:
    unused = usage is None or inactive_file is None
    return {
        "container_memory_usage_bytes": usage,
        "container_memory_working_set_bytes": None if unused else max(usage - inactive_file, 0),
        "container_memory_total_active_file_bytes": active_file,
        "container_spec_memory_limit_bytes": limit if limit is not None and limit < _UNLIMITED else None,
    }


def _threads(group: Path) -> dict[str, float | None]:
    return {
        "container_threads": _number(group / "pids.current"),
        "container_threads_max": _number(group / "pids.max"),
    }


def _bytes(file: Path, *, read: str, write: str) -> dict[str, float]:
    """Sums over all devices: lines of ``8:0 Read 512`` in version 1, of ``8:0 rbytes=512 …`` in version 2."""
    words = [word for line in _text(file).splitlines() for word in line.replace("=", " ").split()]
    pairs = list(itertools.pairwise(words))
    if not pairs:
        return {}
    totals = {name: sum(float(value) for key, value in pairs if key == name) for name in (read, write)}
    return {"container_fs_reads_bytes": totals[read], "container_fs_writes_bytes": totals[write]}


def _known_values(values: Mapping[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}
