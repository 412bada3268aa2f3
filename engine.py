"""How the program itself reaches the engine that the Docker provider talks to.

The preflight, the gates and the engine's clock ask the engine what the provider cannot tell. All of them go
through :func:`connect`, so that an engine which the provider reaches is never out of reach for them.
"""

import os
from dataclasses import dataclass

import docker
import docker.utils
import pulumi

_LOCAL_SCHEMES = ("unix://", "http+unix://", "npipe://")


@dataclass(frozen=True, kw_only=True)
class EngineAddress:
    """How the provider reaches its engine: its own settings (``docker:host``, …) before the environment's.

    Attributes:
        host: ``unix://``, ``tcp://`` or ``ssh://`` address.
        certificates: directory of the client's TLS certificates; empty for none.
    """

    host: str
    certificates: str = ""

    @classmethod
    def from_config(cls, config: pulumi.Config) -> "EngineAddress":
        """The provider's address, from the config namespace ``docker`` and the environment."""
        return cls(
            host=config.get("host") or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock",
            certificates=config.get("certPath") or os.environ.get("DOCKER_CERT_PATH") or "",
        )

    @property
    def is_local(self) -> bool:
        """Whether the engine publishes ports and mounts folders of the machine that this program runs on."""
        return self.host.startswith(_LOCAL_SCHEMES)


def connect(address: EngineAddress, *, timeout: float) -> docker.DockerClient:
    """Connect to the engine; every request gives up after ``timeout`` seconds.

    Raises:
        docker.errors.DockerException: the engine cannot be reached.
    """
    environment = {"DOCKER_HOST": address.host}
    if address.certificates:
        environment |= {"DOCKER_CERT_PATH": address.certificates, "DOCKER_TLS_VERIFY": "1"}
    return docker.DockerClient(
        version="auto",
        timeout=timeout,
        use_ssh_client=address.host.startswith("ssh://"),
        **docker.utils.kwargs_from_env(environment=environment),
    )
