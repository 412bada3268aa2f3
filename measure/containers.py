"""Containers on the stack's network that are removed when the measuring ends."""

import io
import tarfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import requests
from docker.errors import NotFound
from docker.models.containers import Container

from components.naming import physical_name
from measure.stack import ANSWER_SECONDS, MeasureError, Stack

_MEMORY = 256 * 2**20
_START_SECONDS = 60
_POLL_SECONDS = 0.2


@contextmanager
def temporary(
    stack: Stack,
    name: str,
    *,
    image: str,
    alias: str,
    user: str,
    files: Mapping[str, str],
    entrypoint: Sequence[str] | None = None,
    command: Sequence[str] | None = None,
    port: int | None = None,
    **options: Any,
) -> Iterator[Container]:
    """A container with files in it, known as ``alias`` on the stack's network and removed at the end.

    One that an earlier run left behind gives way. ``port`` is published on loopback, at a free port.
    """
    engine = stack.engine
    network = physical_name(stack.name, "network")
    _remove(stack, name)
    try:
        container = engine.containers.create(
            image,
            name=name,
            user=user,
            entrypoint=entrypoint,
            command=command,
            mem_limit=_MEMORY,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
            init=True,
            network=network,
            networking_config={network: engine.api.create_endpoint_config(aliases=[alias])},
            ports={f"{port}/tcp": ("127.0.0.1", None)} if port else {},
            **options,
        )
        container.put_archive("/", _archive(files))
        container.start()
        yield container
    finally:
        _remove(stack, name)


def ready(container: Container, port: int, path: str) -> str:
    """The address of a published port, once the page below it answers.

    Raises:
        MeasureError: it does not, or the container has ended.
    """
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        container.reload()
        published = container.ports.get(f"{port}/tcp")
        if not published:
            break
        address = f"http://{published[0]['HostIp']}:{published[0]['HostPort']}"
        try:
            if requests.get(f"{address}{path}", timeout=ANSWER_SECONDS).ok:
                return address
        except requests.ConnectionError:
            pass
        time.sleep(_POLL_SECONDS)
    log = container.logs(tail=20).decode(errors="replace")
    message = f"{container.name} does not answer:\n{log}"
    raise MeasureError(message)


def read_files(container: Container, path: str) -> dict[str, str]:
    """The text of every file below a path in a container, by its whole path."""
    stream, _ = container.get_archive(path)
    parent = path.rsplit("/", 1)[0]
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        return {
            f"{parent}/{member.name}": content.read().decode()
            for member in archive
            if (content := archive.extractfile(member)) is not None
        }


def _archive(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path.lstrip("/"))
            content = text.encode()
            # Some hold a secret; group 0 reads them, as it does in the stack.
            member.size, member.mode = len(content), 0o440
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _remove(stack: Stack, name: str) -> None:
    try:
        stack.engine.containers.get(name).remove(force=True, v=True)
    except NotFound:
        return
