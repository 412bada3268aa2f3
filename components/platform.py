"""What every service of one stack shares: its names, its network, its images and its engine."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pulumi
import pulumi_docker as docker

from components.engine import surroundings
from components.images import Images
from components.naming import LABEL_PROJECT, LABEL_SERVICE, LABEL_STACK, physical_name
from engine import EngineAddress
from settings import Settings

if TYPE_CHECKING:
    from components.service import Service


@dataclass(frozen=True, kw_only=True)
class Platform:
    """One stack's surroundings, handed to every component.

    Attributes:
        project: the Pulumi project's name.
        stack: the stack's name, which all physical names start with.
        images: service -> local image id (see :class:`components.images.Images`).
        network: the name of the network that all containers share.
        bind_address: the host address that ports are published on.
        protect_data: whether volumes and secrets outlive ``pulumi destroy --exclude-protected``.
        engine: the address of the engine that the provider talks to.
        docker_root: where the engine keeps the containers' logs and records, on its host.
        since: the engine's time at the start of the program (see :class:`components.gate.Gate`).
        ungated: services that no gate waits for yet; :func:`components.service.gate_the_rest` takes them.
    """

    project: str
    stack: str
    images: Mapping[str, pulumi.Output[str]]
    network: pulumi.Output[str]
    bind_address: str
    protect_data: bool
    engine: EngineAddress
    docker_root: str
    since: str
    ungated: list["Service"] = field(default_factory=list)

    def name(self, *parts: str) -> str:
        """The physical name of one of the stack's containers or volumes."""
        return physical_name(self.stack, *parts)

    def labels(self, service: str) -> dict[str, str]:
        """The labels that every container, network and volume carries."""
        return stack_labels(self.project, self.stack, service)

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
    """Create the stack's images and network, and gather what its services share."""
    project, stack = pulumi.get_project(), pulumi.get_stack()
    images = Images(settings)
    engine = EngineAddress.from_config(pulumi.Config("docker"))
    found = surroundings(engine)
    return Platform(
        project=project,
        stack=stack,
        images=images.ids,
        network=create_network(project, stack, after=list(images.resources.values())).name,
        bind_address=settings.bind_address,
        protect_data=settings.protect_data,
        engine=engine,
        docker_root=found.data_directory,
        since=found.time,
    )


def create_network(project: str, stack: str, *, after: Sequence[pulumi.Resource] = ()) -> docker.Network:
    """The one network of a stack; services find each other on it by their names."""
    labels = sorted(stack_labels(project, stack, "network").items())
    return docker.Network(
        "network",
        name=physical_name(stack, "network"),
        labels=[docker.NetworkLabelArgs(label=key, value=value) for key, value in labels],
        opts=pulumi.ResourceOptions(depends_on=list(after)),
    )
