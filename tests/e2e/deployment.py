"""A stack of the tests' own: its program directory, backend, passphrase and ports are nobody else's."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import docker
import yaml
from docker.models.containers import Container
from stack_files import PROJECT, REPOSITORY

_UP_SECONDS = 900
_POLL_SECONDS = 0.5
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """How a Pulumi command ended: exit code, seconds, and all that it printed, without colours."""

    code: int
    seconds: float
    text: str


@dataclass
class Deployment:
    """One Pulumi stack on the real engine, driven by the CLI as a user would."""

    program: Path
    stack: str
    home: Path
    engine: docker.DockerClient
    extra_env: Mapping[str, str] = field(default_factory=dict)
    first_up: Outcome | None = None

    def __post_init__(self) -> None:
        (self.home / "state").mkdir(parents=True, exist_ok=True)
        passphrase = self.home / "passphrase"
        if not passphrase.exists():
            passphrase.write_text("only-for-tests")

    @property
    def labelled(self) -> dict[str, list[str]]:
        """The engine's filter for what this stack of this project has made."""
        project = yaml.safe_load((self.program / "Pulumi.yaml").read_text())["name"]
        return {"label": [f"mlops.project={project}", f"mlops.stack={self.stack}"]}

    @property
    def environment(self) -> dict[str, str]:
        """What a shell must export so that plain ``pulumi`` commands work on this stack."""
        return {
            **os.environ,
            "PULUMI_BACKEND_URL": f"file://{self.home / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(self.home / "passphrase"),
            "NO_COLOR": "1",
            **self.extra_env,
        }

    def pulumi(self, *arguments: str, timeout: float = _UP_SECONDS) -> Outcome:
        """Run ``pulumi`` in the program's directory; the exit code is the caller's to judge."""
        started = time.monotonic()
        done = subprocess.run(
            ["pulumi", "--non-interactive", "--stack", self.stack, *arguments],
            cwd=self.program,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, time.monotonic() - started, _COLOURS.sub("", done.stdout))

    def init(self, config: Mapping[str, str]) -> None:
        """Create the stack and set its plain config values."""
        done = subprocess.run(
            ["pulumi", "stack", "init", self.stack, "--secrets-provider", "passphrase", "--non-interactive"],
            cwd=self.program,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        for key, value in config.items():
            self.set(key, value)

    def set(self, key: str, value: str) -> None:
        """Set one plain config value."""
        outcome = self.pulumi("config", "set", "--plaintext", key, "--", value)
        assert outcome.code == 0, outcome.text

    def set_secret(self, key: str, value: str) -> None:
        """Set one encrypted config value."""
        outcome = self.pulumi("config", "set", "--secret", key, "--", value)
        assert outcome.code == 0, outcome.text

    def up(self) -> Outcome:
        """``pulumi up`` without asking and without a preview of its own."""
        return self.pulumi("up", "--yes", "--skip-preview")

    def containers(self) -> dict[str, Container]:
        """The stack's containers by service."""
        found = self.engine.containers.list(all=True, filters=self.labelled)
        return {container.labels["mlops.service"]: container for container in found}

    def container_ids(self) -> dict[str, str]:
        """The ids of the stack's containers by service."""
        return {service: container.id for service, container in self.containers().items()}

    @contextmanager
    def stand_in(self, *, image: str) -> Iterator[None]:
        """A container on the stack's network that takes the first free address, gone afterwards."""
        container = self.engine.containers.run(
            image, ["1000"], entrypoint="sleep", detach=True, network=f"{self.stack}-network"
        )
        try:
            yield
        finally:
            container.remove(force=True, v=True)

    def leftovers(self) -> list[str]:
        """Names of containers, networks and volumes that carry the project's and the stack's labels."""
        return self._found(self.labelled)

    def namesakes(self) -> list[str]:
        """Names of what a stack of this name has on the engine, whatever its project."""
        return self._found({"label": f"mlops.stack={self.stack}"})

    def _found(self, only: Mapping[str, str | list[str]]) -> list[str]:
        return [
            *(container.name for container in self.engine.containers.list(all=True, filters=only)),
            *(network.name for network in self.engine.networks.list(filters=only)),
            *(volume.name for volume in self.engine.volumes.list(filters=only)),
        ]

    def remove_leftovers(self) -> None:
        """Remove by label what an interrupted test left, so that the next run starts from nothing."""
        only = self.labelled
        for container in self.engine.containers.list(all=True, filters=only):
            container.remove(force=True, v=True)
        for network in self.engine.networks.list(filters=only):
            # Whatever else was put on it, such as a receiver of alerts, would keep it.
            network.reload()
            for container in network.containers:
                container.remove(force=True, v=True)
            network.remove()
        for volume in self.engine.volumes.list(filters=only):
            volume.remove(force=True)


@contextmanager
def deployment(
    program: Path, stack: str, home: Path, *, env: Mapping[str, str] | None = None
) -> Iterator[Deployment]:
    """A stack that is gone afterwards, however the tests end."""
    engine = docker.from_env()
    made = Deployment(program, stack, home, engine, env or {})
    made.remove_leftovers()
    assert not made.namesakes(), f"another project's stack {stack!r} is on this engine: {made.namesakes()}"
    try:
        yield made
        made.pulumi("destroy", "--yes", "--skip-preview")
    finally:
        made.remove_leftovers()
        engine.close()


def copy_program(target: Path) -> Path:
    """The repository's program as committed or edited, without what git ignores and without its stacks.

    It is a project of its own, so that nothing is taken for a user's stack of the same name.
    """
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        source, destination = REPOSITORY / name, target / name
        if source.is_file():
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, destination)
    for stack_file in target.glob("Pulumi.*.yaml"):
        stack_file.unlink()
    project = yaml.safe_load((target / "Pulumi.yaml").read_text())
    (target / "Pulumi.yaml").write_text(yaml.safe_dump(project | {"name": f"{PROJECT}-tests"}))
    return target


def free_port_base(count: int = 40) -> int:
    """The first of ``count`` consecutive free loopback ports."""
    for base in range(21000, 29000, count):
        if all(_is_free(port) for port in range(base, base + count)):
            return base
    raise RuntimeError("no free range of ports on the loopback address")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


def wait_for(what: str, ask: Callable[[], T | None], *, seconds: float = 60) -> T:
    """The first truthy answer of ``ask`` within ``seconds``; fails naming ``what`` was awaited."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:.0f} s; last answer: {answer!r}")
        time.sleep(_POLL_SECONDS)
