"""The engine that the provider talks to, reached a second time for what the provider cannot tell or do."""

from datetime import datetime

import docker
from docker.models.containers import Container

_TIMEOUT_SECONDS = 30


def connect(host: str) -> docker.DockerClient:
    """Connect to ``host`` (a ``docker:host`` value), or to ``DOCKER_HOST`` and its default when empty.

    Raises:
        docker.errors.DockerException: the engine cannot be reached.
    """
    if not host:
        return docker.from_env(timeout=_TIMEOUT_SECONDS)
    return docker.DockerClient(
        base_url=host, timeout=_TIMEOUT_SECONDS, use_ssh_client=host.startswith("ssh://")
    )


def clock(host: str) -> str:
    """The engine's own time, ISO 8601: what its containers' time stamps can be compared with."""
    client = connect(host)
    try:
        return client.info()["SystemTime"]
    finally:
        client.close()


def parse_time(stamp: str) -> datetime:
    """Read one of the engine's time stamps (nanoseconds are cut to microseconds)."""
    return datetime.fromisoformat(stamp)


def limit_pids(container: Container, pids: int) -> None:
    """Set the container's process limit, for which the provider and the SDK's ``update`` have no field."""
    api = container.client.api
    response = api.post(
        f"{api.base_url}/v{api.api_version}/containers/{container.id}/update", json={"PidsLimit": pids}
    )
    response.raise_for_status()
