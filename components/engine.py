"""What the engine is asked, and told, because the provider has no field for it."""

from dataclasses import dataclass
from datetime import datetime

from docker.models.containers import Container

from engine import EngineAddress, connect

TIMEOUT_SECONDS = 30


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an engine tells of itself.

    Attributes:
        time: its own time, ISO 8601: what its containers' time stamps can be compared with.
        data_directory: the directory of its host where it keeps the containers' logs and records.
    """

    time: str
    data_directory: str


def surroundings(address: EngineAddress) -> Surroundings:
    """Ask the engine."""
    client = connect(address, timeout=TIMEOUT_SECONDS)
    try:
        info = client.info()
        return Surroundings(time=info["SystemTime"], data_directory=info["DockerRootDir"])
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
