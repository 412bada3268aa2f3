"""The stack that is measured: its containers, its addresses and its logins."""

import json
import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import docker
import requests
from docker.models.containers import Container

from components.naming import LABEL_SERVICE, LABEL_STACK
from toolchain.environment import ensure_environment
from toolchain.stack import check_name, pulumi, stack_exists

ANSWER_SECONDS = 30
_LONGEST_COMPLAINT = 2000
INSIDE = Path(__file__).parent / "inside"


class MeasureError(Exception):
    """Something is missing without which nothing can be measured; the message is for the user."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A running stack.

    Attributes:
        endpoints: service -> published address.
        credentials: service -> username and password.
        environment: the process environment for ``pulumi`` and ``docker``.
    """

    name: str
    engine: docker.DockerClient
    endpoints: Mapping[str, str]
    credentials: Mapping[str, Mapping[str, str]]
    environment: Mapping[str, str]

    @cached_property
    def session(self) -> requests.Session:
        """Connections that are kept, so that a question costs no handshake; no proxy stands in between."""
        made = requests.Session()
        made.trust_env = False
        return made

    def container(self, service: str) -> Container:
        """The running container of a service.

        Raises:
            MeasureError: there is none.
        """
        labels = [f"{LABEL_STACK}={self.name}", f"{LABEL_SERVICE}={service}"]
        found = self.engine.containers.list(filters={"label": labels})
        if not found:
            message = (
                f"{service} of the stack {self.name} does not run; `make up STACK={self.name}` starts it"
            )
            raise MeasureError(message)
        return found[0]

    def login(self, service: str) -> tuple[str, str]:
        """User name and password."""
        return self.credentials[service]["username"], self.credentials[service]["password"]

    def config(self, key: str) -> str:
        """A value of the stack's config; empty where there is none."""
        shown = pulumi(["config", "--json", "--show-secrets", "--stack", self.name], self.environment)
        values: Mapping[str, Any] = json.loads(shown)
        found = [entry["value"] for name, entry in values.items() if name.split(":", 1)[-1] == key]
        return found[0] if found else ""

    def run_inside(self, service: str, script: str, *arguments: object) -> Iterator[str]:
        """Run a Python program of the folder ``inside`` in a service's container; yield its lines.

        Raises:
            MeasureError: it failed; the message has what it said.
        """
        container = self.container(service)
        source = (INSIDE / script).read_text(encoding="utf-8")
        api = self.engine.api
        command = ["python", "-c", source, *map(str, arguments)]
        identifier = api.exec_create(container.id, command)["Id"]
        complaints: list[bytes] = []
        chunks = api.exec_start(identifier, stream=True, demux=True)
        yield from lines(_output(chunks, complaints))
        if api.exec_inspect(identifier)["ExitCode"]:
            said = b"".join(complaints).decode(errors="replace")
            message = f"{script} failed in {container.name}:\n{said[-_LONGEST_COMPLAINT:]}"
            raise MeasureError(message)


def open_stack(name: str) -> Stack:
    """The stack of that name, as its outputs describe it.

    Raises:
        MeasureError: it is not up, or its engine is not on this machine.
    """
    check_name(name)
    environment = ensure_environment()
    engine = docker.DockerClient.from_env(environment=dict(environment))
    if not stack_exists(name, environment):
        message = f"there is no stack {name}; `make up STACK={name}` makes it"
        raise MeasureError(message)
    if not engine.api.base_url.startswith(("http+docker", "http+unix", "http://localhost", "http://127.")):
        message = "the engine is not on this machine, and its clock may not be this one's"
        raise MeasureError(message)
    outputs = json.loads(
        pulumi(["stack", "output", "--json", "--show-secrets", "--stack", name], environment)
    )
    if "endpoints" not in outputs:
        message = f"the stack {name} has not been brought up yet; run `make up STACK={name}`"
        raise MeasureError(message)
    return Stack(
        name=name,
        engine=engine,
        endpoints=outputs["endpoints"],
        credentials=outputs["credentials"],
        environment=environment,
    )


def in_background(source: Iterator[str]) -> "queue.SimpleQueue[str | Exception | None]":
    """Read lines in a thread of their own; None is the end, an exception what ended it."""
    read: queue.SimpleQueue[str | Exception | None] = queue.SimpleQueue()

    def work() -> None:
        try:
            for line in source:
                read.put(line)
            read.put(None)
        except Exception as error:
            read.put(error)

    threading.Thread(target=work, daemon=True).start()
    return read


def lines(chunks: Iterator[bytes]) -> Iterator[str]:
    """The lines of a stream that comes in pieces of any length."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def _output(chunks: Iterator[tuple[bytes | None, bytes | None]], complaints: list[bytes]) -> Iterator[bytes]:
    """The standard output; what comes on the other one is gathered in ``complaints``."""
    for said, complained in chunks:
        complaints += [complained] if complained else []
        yield said or b""
