"""Run a service's own program, out of its image, on the files that the renderers make.

Containers run as the platform runs them: group 0, no capability, no new privileges.
"""

import json
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from file_archive import archive

from configs.versions import ImageSet, image_for

_READY_SECONDS = 90
_SAFE = ("--cap-drop=ALL", "--security-opt=no-new-privileges")


def _docker(
    *words: str, stdin: bytes | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[bytes]:
    command = ["docker", *words]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, timeout=timeout)


def _must(answer: subprocess.CompletedProcess[bytes]) -> str:
    if answer.returncode:
        pytest.fail(f"{' '.join(answer.args)}: {answer.stderr.decode()}")
    return answer.stdout.decode().strip()


@dataclass(frozen=True)
class Server:
    """A running container."""

    name: str

    def address(self, port: int) -> tuple[str, int]:
        """Where the container's ``port`` is reached from here."""
        host, _, number = _must(_docker("port", self.name, str(port))).splitlines()[0].rpartition(":")
        return host, int(number)

    def url(self, port: int, path: str) -> str:
        host, number = self.address(port)
        return f"http://{host}:{number}{path}"

    def log(self) -> str:
        answer = _docker("logs", self.name)
        return (answer.stdout + answer.stderr).decode(errors="replace")

    def wait(self, url: str) -> None:
        """Wait until ``url`` answers with 200, failing at once when the container has ended."""
        deadline = time.monotonic() + _READY_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                state = json.loads(_must(_docker("inspect", "--format", "{{json .State}}", self.name)))
                if not state["Running"]:
                    break
            time.sleep(0.2)
        pytest.fail(f"{url} did not answer; the container's log:\n{self.log()}")


Create = Callable[..., str]


@pytest.fixture(name="docker", scope="module")
def docker_command() -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a ``docker`` command."""
    return _docker


@pytest.fixture(scope="module")
def create(image_set: ImageSet) -> Iterator[Create]:
    """Create containers, with files in them, that are removed after the last test of the file."""
    names: list[str] = []

    def create_one(
        service: str,
        command: Sequence[str],
        files: Mapping[str, str],
        *,
        user: str,
        entrypoint: str | None = None,
        environment: Mapping[str, str] | None = None,
        ports: Sequence[int] = (),
    ) -> str:
        name = f"configs-test-{uuid.uuid4().hex[:12]}"
        names.append(name)
        options = [f"--name={name}", f"--user={user}", *_SAFE]
        options += [f"--entrypoint={entrypoint}"] if entrypoint else []
        options += [f"--env={key}={value}" for key, value in (environment or {}).items()]
        options += [f"--publish=127.0.0.1::{port}" for port in ports]
        _must(_docker("create", *options, image_for(service, image_set), *command))
        _must(_docker("cp", "-", f"{name}:/", stdin=archive(files)))
        return name

    yield create_one
    for name in names:
        _docker("rm", "--force", "--volumes", name)


@pytest.fixture(scope="module")
def run_in_image(create: Create) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a command to its end; the arguments are those of ``create``."""

    def run(*arguments, **options) -> subprocess.CompletedProcess[bytes]:
        return _docker("start", "--attach", create(*arguments, **options))

    return run


@pytest.fixture(scope="module")
def serve_in_image(create: Create) -> Callable[..., Server]:
    """Start a server; the arguments are those of ``create``, ``ports`` are published on loopback."""

    def serve(*arguments, **options) -> Server:
        name = create(*arguments, **options)
        _must(_docker("start", name))
        return Server(name)

    return serve
