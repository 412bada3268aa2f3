"""Containers as the platform makes them: their user, no capability, files and secrets uploaded, a network."""

import io
import tarfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import docker
from docker.models.containers import Container

from configs.versions import ImageSet, image_for

_MEBIBYTE = 2**20
_POLL_SECONDS = 0.5

T = TypeVar("T")


@dataclass
class Network:
    """One test network; its containers vanish with it."""

    engine: docker.DockerClient
    image_set: ImageSet
    name: str
    containers: list[Container] = field(default_factory=list)

    def start(
        self,
        service: str,
        *,
        image: str = "",
        user: str = "1000:0",
        memory: int = 256 * _MEBIBYTE,
        files: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        port: int | None = None,
        alias: str = "",
        **options: Any,
    ) -> Container:
        """Start ``service`` of the image set, or ``image``, known by that name on the network."""
        container = self.engine.containers.create(
            image or image_for(service, self.image_set),
            user=user,
            mem_limit=memory,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            init=True,
            network=self.name,
            networking_config={self.name: self.engine.api.create_endpoint_config(aliases=[alias or service])},
            ports={f"{port}/tcp": ("127.0.0.1", None)} if port else {},
            **options,
        )
        self.containers.append(container)
        for path, text in (files or {}).items():
            upload(container, path, text, 0o444)
        for name, text in (secrets or {}).items():
            upload(container, f"/run/secrets/{name}", text, 0o440)
        container.start()
        return container

    @contextmanager
    def cleared(self) -> Iterator[None]:
        """Remove in the end what is started meanwhile, with its anonymous volumes."""
        before = len(self.containers)
        try:
            yield
        finally:
            for container in self.containers[before:]:
                container.remove(force=True, v=True)
            del self.containers[before:]


@contextmanager
def network(image_set: ImageSet) -> Iterator[Network]:
    """A network of its own, removed with all its containers and their anonymous volumes."""
    engine = docker.from_env()
    made = Network(engine, image_set, f"test-configs-{uuid.uuid4().hex[:8]}")
    engine.networks.create(made.name)
    try:
        with made.cleared():
            yield made
    finally:
        engine.networks.get(made.name).remove()


def upload(container: Container, path: str, text: str, mode: int, uid: int = 0) -> None:
    """Put a file into a container, with the directories above it."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        parts = Path(path).relative_to("/")
        for parent in reversed(parts.parents[:-1]):
            if container.status == "created" and parent.parts[:2] == ("run", "secrets"):
                directory = tarfile.TarInfo(str(parent))
                directory.type, directory.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(directory)
        file = tarfile.TarInfo(str(parts))
        content = text.encode()
        file.size, file.mode, file.uid, file.gid = len(content), mode, uid, 0
        tar.addfile(file, io.BytesIO(content))
    container.put_archive("/", archive.getvalue())


def address(container: Container, port: int) -> str:
    """The URL at which a published port is reached."""
    container.reload()
    published = container.ports[f"{port}/tcp"][0]
    return f"http://{published['HostIp']}:{published['HostPort']}"


def run_to_end(container: Container, *, seconds: float = 120) -> tuple[int, str]:
    """Exit code and log of a container that ends by itself."""
    code = container.wait(timeout=seconds)["StatusCode"]
    return code, container.logs().decode(errors="replace")


def wait_for(what: str, answer: Callable[[], T], *, seconds: float = 60) -> T:
    """Return the first true ``answer``; fail when there is none in time."""
    deadline = time.monotonic() + seconds
    while not (result := answer()):
        assert time.monotonic() < deadline, f"no {what} within {seconds:.0f} s"
        time.sleep(_POLL_SECONDS)
    return result


def execute(container: Container, command: Sequence[str]) -> tuple[int, str]:
    """Exit code and output of a command inside a container."""
    done = container.exec_run(list(command))
    return done.exit_code, done.output.decode(errors="replace")
