"""What this machine has and lacks for a stack: read-only, each finding one line."""

import os
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import docker.errors

import preflight
from settings.model import Settings
from toolchain.engine import selected_host
from toolchain.image_choice import read_stack_file, unreachable
from toolchain.paths import cache_home, state_home
from toolchain.pulumi_build import built_home
from units import GIB

_ANSWER_SECONDS = 5
# Images, the toolchain's caches and a few days of metrics and logs.
_DISK_GIB = 30
_MAP_COUNT = 262144


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``good`` is None where there is nothing to judge."""

    topic: str
    text: str
    good: bool | None = None

    def __str__(self) -> str:
        mark = {True: "ok", False: "!!", None: "  "}[self.good]
        return f"{mark}  {self.topic:18} {self.text}"


def examine(stack: str) -> int:
    """Print the findings; return 1 if one of them keeps the stack from running."""
    os.environ.update(selected_host())
    settings = read_stack_file(stack).settings
    bad = False
    for part in (_machine, _engine, _toolchain, _needs):
        for finding in part(settings):
            bad = bad or finding.good is False
            print(finding, flush=True)
    return 1 if bad else 0


def _machine(_settings: Settings) -> Iterator[Finding]:
    yield Finding("machine", f"{platform.platform()}, {os.cpu_count()} CPUs")
    yield Finding("python", f"{platform.python_version()} ({sys.prefix})")
    for name, home in (("cache", cache_home()), ("state", state_home())):
        yield _disk(name, home)


def _disk(name: str, directory: Path) -> Finding:
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    needed = _DISK_GIB if name != "state" else 1
    return Finding(f"disk, {name}", f"{free // GIB} GiB free at {directory}", free >= needed * GIB)


def _engine(settings: Settings) -> Iterator[Finding]:
    try:
        client = docker.from_env(timeout=_ANSWER_SECONDS)
    except docker.errors.DockerException as failure:
        yield Finding("engine", f"does not answer: {failure}", good=False)
        return
    try:
        info, version = client.info(), client.version()
        yield Finding("engine", f"{version['Version']}, API {version['ApiVersion']}", good=True)
        yield Finding("cgroups", f"version {info.get('CgroupVersion', '1')}, driver {info['CgroupDriver']}")
        yield Finding("storage driver", info["Driver"], info["Driver"] != "vfs")
        yield Finding("memory", f"{info['MemTotal'] / GIB:.1f} GiB, the limits add up to {_limits(settings)}")
        root = Path(info["DockerRootDir"])
        if root.exists():
            yield _disk("engine", root)
    finally:
        client.close()
    yield from _image_set(settings)


def _limits(settings: Settings) -> str:
    return f"{sum(settings.memory().values()) / GIB:.1f} GiB"


def _image_set(settings: Settings) -> Iterator[Finding]:
    reason = unreachable(settings.image_registry)
    can = f"cannot be pulled ({reason}); `make up` builds images from packages" if reason else "can be pulled"
    good = None if reason and settings.image_set == "packages" else not reason
    yield Finding("official images", can, good)


def _toolchain(_settings: Settings) -> Iterator[Finding]:
    found = shutil.which("pulumi")
    built = built_home()
    where = found or (str(built / "bin" / "pulumi") if built else "none yet; `make up` fetches or builds one")
    yield Finding("pulumi", where)


def _needs(settings: Settings) -> Iterator[Finding]:
    count = _number(Path("/proc/sys/vm/max_map_count"))
    if settings.elasticsearch.enabled and count is not None:
        # A single node does not insist on it, but maps its files only up to this number.
        yield Finding("vm.max_map_count", f"{count}; Elasticsearch recommends {_MAP_COUNT}")
    address = preflight.EngineAddress(host=os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock")
    problems = preflight.check(settings, _asked(address), broken=frozenset())
    for problem in problems:
        yield Finding("settings", str(problem), good=False)
    if not problems:
        ports = ", ".join(f"{name} {port}" for name, port in settings.ports().items())
        yield Finding("ports", f"free or the stack's own: {ports}", good=True)


def _asked(address: preflight.EngineAddress) -> Callable[[], Any]:
    return lambda: preflight.inspect_engine(address)


def _number(path: Path) -> int | None:
    return int(path.read_text()) if path.exists() else None
