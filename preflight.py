"""Asks the Docker Engine, before anything is touched, whether it can take what the settings ask for.

Checked are: that the engine answers and is new enough, that the memory limits of all services fit into its
memory, and that every port can be published. Only ``inspect_engine`` and ``can_bind`` look outside; the
program's tests replace them.
"""

import errno
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import docker.errors
import requests

from engine import EngineAddress, connect
from settings.model import ONE_SHOTS, PUBLISHED, Settings
from settings.report import Problem
from units import MIB, size_text

MINIMUM_API = (1, 41)
"""Docker Engine 20.10: the oldest that the platform is tested with."""

_MEMORY_SHARE = 0.9
_TIMEOUT_SECONDS = 2
_LARGEST_SHOWN = 3
_ANY_ADDRESS = ("0.0.0.0", "::", "")


class EngineError(Exception):
    """The engine cannot be asked; the message says which one and why."""

    def __init__(self, host: str, cause: str) -> None:
        super().__init__(f"no Docker Engine answers at {host}: {cause}")


@dataclass(frozen=True, kw_only=True)
class PublishedPort:
    """A port of the host that a running container holds; ``stack`` is its label, if it has one."""

    port: int
    address: str
    container: str
    stack: str | None = None
    project: str | None = None


@dataclass(frozen=True, kw_only=True)
class EngineFacts:
    """What the checks need to know of an engine; ``memory_total`` in bytes."""

    name: str
    api_version: str
    memory_total: int
    is_local: bool
    published: tuple[PublishedPort, ...] = ()


def inspect_engine(address: EngineAddress) -> EngineFacts:
    """Ask the engine; takes at most some seconds even when nobody answers.

    Raises:
        EngineError: no engine answers there, or it refuses us.
    """
    client = None
    try:
        client = connect(address, timeout=_TIMEOUT_SECONDS)
        info = client.info()
        return EngineFacts(
            name=info["Name"],
            api_version=client.version()["ApiVersion"],
            memory_total=info["MemTotal"],
            is_local=address.is_local,
            published=tuple(_published(client.api.containers())),
        )
    except (docker.errors.DockerException, requests.RequestException, OSError, ValueError) as error:
        raise EngineError(address.host, _cause(error)) from error
    finally:
        if client:
            client.close()


def _published(containers: list[dict[str, Any]]) -> Iterator[PublishedPort]:
    for container in containers:
        labels = container.get("Labels") or {}
        for port in container.get("Ports") or ():
            if port.get("PublicPort"):
                yield PublishedPort(
                    port=port["PublicPort"],
                    address=port.get("IP", ""),
                    container=container["Names"][0].lstrip("/"),
                    stack=labels.get("mlops.stack"),
                    project=labels.get("mlops.project"),
                )


def _cause(error: BaseException) -> str:
    """The system's own reason, out of the layers of libraries that wrap it, in words."""
    chain: BaseException | None = error
    for _ in range(10):
        if isinstance(chain, OSError) and chain.errno in _REASONS:
            return _REASONS[chain.errno]
        if isinstance(chain, requests.Timeout | TimeoutError):
            return f"no answer within {_TIMEOUT_SECONDS} s"
        if chain is None:
            break
        nested = next((each for each in chain.args if isinstance(each, BaseException)), None)
        chain = nested or getattr(chain, "reason", None) or chain.__cause__ or chain.__context__
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


_REASONS = {
    errno.ENOENT: "there is no such socket; is Docker installed and started?",
    errno.ECONNREFUSED: "the connection was refused; is Docker started?",
    errno.EACCES: "this user may not use it; add the user to the group docker",
    errno.EHOSTUNREACH: "the host cannot be reached",
    errno.ENETUNREACH: "the network cannot be reached",
}


def check(
    settings: Settings,
    inspect: Callable[[], EngineFacts],
    *,
    broken: frozenset[str] = frozenset(),
) -> list[Problem]:
    """What speaks against bringing ``settings`` up, but for what only follows from ``broken`` keys."""
    try:
        facts = inspect()
    except EngineError as error:
        return [Problem("docker:host", str(error))]
    if tuple(int(part) for part in facts.api_version.split(".")[:2]) < MINIMUM_API:
        wanted = ".".join(map(str, MINIMUM_API))
        return [
            Problem(
                "docker:host",
                f"the engine {facts.name} speaks API {facts.api_version}; needed is {wanted} (Docker Engine "
                "20.10) or newer",
            )
        ]
    return [
        *_memory(settings, facts, broken),
        *_ports(settings, facts, broken),
        *_folders(settings, facts, broken),
    ]


def _memory(settings: Settings, facts: EngineFacts, broken: frozenset[str]) -> Iterator[Problem]:
    limits = {name: limit for name, limit in settings.memory().items() if name not in ONE_SHOTS}
    total, allowed = sum(limits.values()), int(facts.memory_total * _MEMORY_SHARE)
    depends_on_broken = any(key.endswith(("memory", "enabled")) for key in broken)
    if total > allowed and not depends_on_broken:
        largest = islice(sorted(limits.items(), key=lambda item: -item[1]), _LARGEST_SHOWN)
        named = ", ".join(f"{name} {size_text(limit)}" for name, limit in largest)
        yield Problem(
            "*.memory",
            f"the services' limits add up to {size_text(total)}; the engine {facts.name} has "
            f"{facts.memory_total // MIB}MiB, of which {allowed // MIB}MiB may be given away; "
            f"the largest are {named}",
        )


def _ports(settings: Settings, facts: EngineFacts, broken: frozenset[str]) -> Iterator[Problem]:
    ports = settings.ports()
    if "bind_address" in broken:
        return
    own = {
        (each.port, each.address)
        for each in facts.published
        if each.stack == settings.stack and each.project in (None, settings.project)
    }
    for section, service in PUBLISHED.items():
        involved = {f"{section}.port", f"{section}.enabled", "port_base"}
        if service in ports and broken.isdisjoint(involved):
            yield from _port(settings, facts, f"{section}.port", ports[service], own)


def _port(
    settings: Settings, facts: EngineFacts, key: str, port: int, own: set[tuple[int, str]]
) -> Iterator[Problem]:
    address = settings.bind_address
    if any(_overlap(address, held) for number, held in own if number == port):
        return
    holder = next((p for p in facts.published if p.port == port and _overlap(address, p.address)), None)
    if holder:
        yield Problem(key, f"{port} is published by the container {holder.container} already; choose another")
    elif facts.is_local:
        reason = can_bind(address, port)
        if reason:
            yield Problem(key, f"{port} cannot be published at {address}: {reason}")


def _folders(settings: Settings, facts: EngineFacts, broken: frozenset[str]) -> Iterator[Problem]:
    """A folder that is not there would be made by the engine, empty and root's, and Airflow see no DAG."""
    for key in ("dags_path", "plugins_path"):
        folder = getattr(settings.airflow, key)
        if facts.is_local and f"airflow.{key}" not in broken and not Path(folder).is_dir():
            yield Problem(
                f"airflow.{key}", f"there is no folder {folder!r}, as seen from the program's folder"
            )


def _overlap(one: str, other: str) -> bool:
    return one == other or one in _ANY_ADDRESS or other in _ANY_ADDRESS


def can_bind(address: str, port: int) -> str:
    """Why this machine cannot listen at ``address`` and ``port``; empty when it can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # Connections of a service just stopped linger for a minute and do not hinder the next one.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "another process holds it"
            if error.errno == errno.EADDRNOTAVAIL:
                return "bind_address is not an address of this machine"
            return os.strerror(error.errno or 0)
    return ""
