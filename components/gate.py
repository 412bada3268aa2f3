"""Gates: resources that exist once containers are ready, so that "depends on" means "after it works".

A gate is a dynamic resource. Its ``create`` polls the engine and raises when a container has failed; a
failed create is not stored, so the next ``up`` asks again. docs/decisions/gates.md tells why the provider's
own ``wait`` is not enough.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import docker
import pulumi
from docker.models.containers import Container
from pulumi import dynamic

from components.engine import TIMEOUT_SECONDS, limit_pids, parse_time
from components.naming import LABEL_SERVICE, LABEL_STACK, ONE_SHOT, ROLE
from components.verdict import Status, Verdict, judge
from engine import EngineAddress, connect

_POLL_SECONDS = 0.3
_LOG_LINES = 20


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """One container that a gate waits for.

    Attributes:
        service: the service's name, for messages.
        container: the container's id; a new id makes the gate wait anew.
        timeout: seconds until the gate gives up on a container that neither fails nor becomes ready.
        pids: process limit to set on the container.
    """

    service: str
    container: pulumi.Input[str]
    timeout: int
    pids: int


class Gate(dynamic.Resource, module="gate", name="Gate"):
    """Is created when every awaited container is ready; fails as soon as any container of the stack fails.

    Args:
        stack: the stack whose containers are watched while waiting.
        engine: the engine's address.
        since: the engine's time at the start of the program; containers that failed before it and are not
            awaited here are left out, since this ``up`` may be about to replace them.
    """

    def __init__(
        self,
        name: str,
        awaited: Iterable[Awaited],
        *,
        stack: str,
        engine: EngineAddress,
        since: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = {
            "awaited": [dict(vars(each)) for each in awaited],
            "stack": stack,
            "engine": dict(vars(engine)),
            "since": since,
        }
        super().__init__(_GateProvider(), name, props, opts)


class _GateProvider(dynamic.ResourceProvider):
    serialize_as_secret_always = False

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        changed = olds.get("awaited") != news.get("awaited")
        return dynamic.DiffResult(changes=changed, replaces=["awaited"] if changed else [])

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        client = connect(EngineAddress(**props["engine"]), timeout=TIMEOUT_SECONDS)
        try:
            _Watch(client, props).run()
        finally:
            client.close()
        return dynamic.CreateResult("+".join(each["service"] for each in props["awaited"]), props)


class GateError(Exception):
    """A container that should have become ready has not; the message names it and ends with its log."""


class _Watch:
    """One gate's wait: its own containers until they are ready, all others of the stack for failures."""

    def __init__(self, client: docker.DockerClient, props: Mapping[str, Any]) -> None:
        self._client = client
        self._stack = props["stack"]
        self._since = parse_time(props["since"])
        self._awaited = {each["container"]: each for each in props["awaited"]}
        self._started = time.monotonic()

    def run(self) -> None:
        for identity, each in self._awaited.items():
            container = self._client.containers.get(identity)
            limit_pids(container, int(each["pids"]))
            self._start_again_if_left_broken(container)
        pending = dict(self._awaited)
        while pending:
            for container in self._containers():
                verdict = _judge(container)
                if container.id in pending and verdict.status is Status.READY:
                    del pending[container.id]
                if verdict.status is Status.FAILED and self._concerns_this_up(container):
                    self._fail(container, verdict)
            self._give_up_on_the_late(pending)
            self._give_up_if_another_gate_has_failed()
            if pending:
                time.sleep(_POLL_SECONDS)

    def _containers(self) -> list[Container]:
        found = self._client.containers.list(
            all=True, filters={"label": f"{LABEL_STACK}={self._stack}"}, ignore_removed=True
        )
        missing = self._awaited.keys() - {container.id for container in found}
        if missing:
            gone = sorted(self._awaited[identity]["service"] for identity in missing)
            raise GateError(f"{', '.join(gone)}: the container was removed while it was starting")
        return found

    def _concerns_this_up(self, container: Container) -> bool:
        return container.id in self._awaited or parse_time(container.attrs["Created"]) >= self._since

    def _start_again_if_left_broken(self, container: Container) -> None:
        """What an earlier ``up`` left failed gets another start: its cause may lie outside the program."""
        failed = _judge(container).status is Status.FAILED
        if failed and parse_time(container.attrs["State"]["StartedAt"]) < self._since:
            container.restart()

    def _give_up_on_the_late(self, pending: Mapping[str, Mapping[str, Any]]) -> None:
        elapsed = time.monotonic() - self._started
        for identity, each in pending.items():
            if elapsed > each["timeout"]:
                late = Verdict(Status.FAILED, f"is not ready after {each['timeout']:.0f} s")
                self._fail(self._client.containers.get(identity), late)

    def _fail(self, container: Container, verdict: Verdict) -> NoReturn:
        service = container.labels.get(LABEL_SERVICE, container.name)
        headline = f"{service} {verdict.reason}"
        if not _failure.announce(headline):
            self._give_up_if_another_gate_has_failed()
        log = container.logs(tail=_LOG_LINES).decode(errors="replace").rstrip() or "(it has logged nothing)"
        raise GateError(f"{headline}; the last lines of {container.name}'s log:\n{log}")

    def _give_up_if_another_gate_has_failed(self) -> None:
        if headline := _failure.headline:
            raise GateError(f"gave up waiting, since {headline} (see that gate's error)")


def _judge(container: Container) -> Verdict:
    return judge(container.attrs, one_shot=container.labels.get(ROLE) == ONE_SHOT)


class _Failure:
    """The first failure of this ``up``. Its gates share a process: one shows the log, the others give up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.headline = ""

    def announce(self, headline: str) -> bool:
        """Whether this is the first failure; later ones are told that the ``up`` has failed already."""
        with self._lock:
            first = not self.headline
            self.headline = self.headline or headline
            return first


_failure = _Failure()
