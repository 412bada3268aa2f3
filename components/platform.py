"""What every service of one stack shares: its names, its network, its images and its engine."""

from dataclasses import dataclass, field
from pathlib import Path

import pulumi
import pulumi_docker as docker

from components.engine import clock
from components.naming import LABEL_PROJECT, LABEL_SERVICE, LABEL_STACK, physical_name
from configs.versions import ImageSet, image_for, lacks
from settings import Settings

TOKEN = "mlops-observability:index:"
REPOSITORY = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One stack's surroundings, handed to every component.

    Attributes:
        project: the Pulumi project's name.
        stack: the stack's name, which all physical names start with.
        image_set: the column of configs/versions.yaml that images are taken from.
        image_registry: a mirror put before official image names, or empty.
        network: the name of the network that all containers share.
        bind_address: the host address that ports are published on.
        protect_data: whether volumes and secrets outlive ``pulumi destroy --exclude-protected``.
        host: the engine's address as in ``docker:host``, empty for the environment's.
        since: the engine's time at the start of the program (see :class:`components.gate.Gate`).
    """

    project: str
    stack: str
    image_set: ImageSet
    image_registry: str
    network: pulumi.Output[str]
    bind_address: str
    protect_data: bool
    host: str
    since: str
    _pulled: dict[str, pulumi.Output[str]] = field(default_factory=dict)

    def name(self, *parts: str) -> str:
        """The physical name of one of the stack's containers or volumes."""
        return physical_name(self.stack, *parts)

    def has(self, service: str, capability: str) -> bool:
        """Whether the stack's image of ``service`` has a capability that not every image set has."""
        return not lacks(service, self.image_set, capability)

    def labels(self, service: str) -> dict[str, str]:
        """The labels that every container, network and volume carries."""
        return stack_labels(self.project, self.stack, service)

    def image_name(self, service: str) -> str:
        """The full name of ``service``'s image in the stack's image set."""
        return image_for(service, self.image_set, self.image_registry)

    def image(self, service: str, override: str = "") -> pulumi.Output[str]:
        """The local id of ``service``'s image (or of ``override``), pulled when the engine lacks it."""
        name = override or self.image_name(service)
        if name not in self._pulled:
            self._pulled[name] = docker.RemoteImage(
                f"image-{service}", name=name, keep_locally=True
            ).image_id
        return self._pulled[name]

    def volume(self, service: str, name: str, *, parent: pulumi.Resource) -> pulumi.Output[str]:
        """Create a named volume of the stack's data and return its physical name."""
        labels = sorted(self.labels(service).items())
        volume = docker.Volume(
            f"{service}-{name}",
            name=self.name(service, name),
            labels=[docker.VolumeLabelArgs(label=key, value=value) for key, value in labels],
            opts=pulumi.ResourceOptions(parent=parent, protect=self.protect_data),
        )
        return volume.name


def stack_labels(project: str, stack: str, service: str) -> dict[str, str]:
    """The stable labels by which everything of a stack is found."""
    return {LABEL_PROJECT: project, LABEL_STACK: stack, LABEL_SERVICE: service}


def create_platform(settings: Settings) -> Platform:
    """Create the stack's network and gather what its services share."""
    project, stack = pulumi.get_project(), pulumi.get_stack()
    host = pulumi.Config("docker").get("host") or ""
    return Platform(
        project=project,
        stack=stack,
        image_set=settings.image_set,
        image_registry=settings.image_registry,
        network=create_network(project, stack).name,
        bind_address=settings.bind_address,
        protect_data=settings.protect_data,
        host=host,
        since=clock(host),
    )


def create_network(project: str, stack: str) -> docker.Network:
    """The one network of a stack; services find each other on it by their names."""
    labels = sorted(stack_labels(project, stack, "network").items())
    return docker.Network(
        "network",
        name=physical_name(stack, "network"),
        labels=[docker.NetworkLabelArgs(label=key, value=value) for key, value in labels],
    )
