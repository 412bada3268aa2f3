"""The only place where a container is made.

A component describes *what* runs in a :class:`ServiceSpec`; :class:`Service` decides *how*: hardening,
limits, graceful stop, log rotation, labels, secret files, and the gate that others can wait for. Sources of
the provider's behaviour that these defaults answer: docs/decisions/.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pulumi
import pulumi_docker as docker

from components.gate import Awaited, Gate
from components.naming import LONG_RUNNING, ONE_SHOT, ROLE, TOKEN
from components.platform import Platform
from configs.secret_files import secret_path
from units import mebibytes


@dataclass(frozen=True, kw_only=True)
class HealthCheck:
    """A probe run inside the container; times in seconds.

    Attributes:
        command: argument vector of the probe, healthy when it exits with 0.
        start_period: failures in this first span do not count towards ``retries``.
    """

    command: Sequence[str]
    interval: int = 5
    timeout: int = 5
    retries: int = 6
    start_period: int = 60


@dataclass(frozen=True)
class DataVolume:
    """A named volume of the service's own, kept with the stack's data; ``name`` is unique in the service."""

    name: str
    path: str


@dataclass(frozen=True)
class SharedVolume:
    """Another service's named volume, given by its physical name."""

    volume: pulumi.Input[str]
    path: str
    read_only: bool = False


@dataclass(frozen=True)
class HostDirectory:
    """A directory of the engine's host, always read-only."""

    host_path: str
    path: str


PIPELINE_CPU_SHARES = 1024
"""The weight of what a pipeline waits for, twice that of what only watches it."""

Mount: TypeAlias = DataVolume | SharedVolume | HostDirectory


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """What one container runs, and what it is given.

    Attributes:
        image: local image id.
        user: ``uid:0``; group 0 is what secret files are readable for. What has none needs no such group.
        memory: hard limit in bytes; there is no swap beyond it.
        health: how readiness is probed; None makes it a one-shot step, which is ready by exit code 0.
        files: generated configuration, path -> text, world-readable and root's.
        secrets: file name under /run/secrets -> content, readable for group 0 only.
        ports: container port -> host port.
        stop_grace: seconds between the stop signal and SIGKILL.
        start_timeout: seconds that a start may take before the gate gives up.
        cpu_shares: weight when processors are short; half of what the pipelines' own path has, by default.
    """

    image: pulumi.Input[str]
    user: str
    memory: int
    health: HealthCheck | None
    entrypoint: Sequence[str] | None = None
    command: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    mounts: Sequence[Mount] = ()
    ports: Mapping[int, int] = field(default_factory=dict)
    tmpfs: Mapping[str, str] = field(default_factory=dict)
    capabilities: Sequence[str] = ()
    pids: int = 256
    cpu_shares: int = 512
    stop_grace: int = 10
    stop_signal: str | None = None
    start_timeout: int = 180
    init: bool = True


class Service(pulumi.ComponentResource):
    """One container with its volumes and, if ``awaited``, the gate that dependents wait for.

    Creates: ``docker.Volume`` for each :class:`DataVolume`, ``docker.Container``, ``Gate``.

    Args:
        name: the service's name: DNS alias, host name, label and last part of the container's name.
        after: services that must be ready before this container is made; each must be ``awaited``.
        awaited: whether others wait for this one (a one-shot step always is).
    """

    name: str
    container_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        spec: ServiceSpec,
        platform: Platform,
        *,
        after: Sequence["Service"] = (),
        awaited: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Service", name, None, opts)
        self.name = name
        self.volumes = {
            mount.name: platform.volume(name, mount.name, parent=self)
            for mount in spec.mounts
            if isinstance(mount, DataVolume)
        }
        container = docker.Container(
            name,
            **_identity(name, spec, platform),
            **_hardening(spec),
            **_resources(spec),
            healthcheck=_health_check(spec.health),
            uploads=_uploads(spec),
            volumes=[self._volume_args(mount) for mount in sorted(spec.mounts, key=lambda m: m.path)],
            ports=[
                docker.ContainerPortArgs(internal=inside, external=outside, ip=platform.bind_address)
                for inside, outside in sorted(spec.ports.items())
            ],
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=_gates(name, after),
                delete_before_replace=True,
                hide_diffs=["uploads"],
                replace_on_changes=["healthcheck", "init", "tmpfs"],
            ),
        )
        self.container_id = container.id
        self.awaited = Awaited(
            service=name, container=container.id, timeout=spec.start_timeout, pids=spec.pids
        )
        self.gates: list[Gate] = []
        platform.ungated.append(self)
        if awaited or spec.health is None:
            create_gate(f"{name}-ready", [self], platform, parent=self)
        self.register_outputs({"container_id": container.id})

    def _volume_args(self, mount: Mount) -> docker.ContainerVolumeArgs:
        match mount:
            case DataVolume(name, path):
                return docker.ContainerVolumeArgs(volume_name=self.volumes[name], container_path=path)
            case SharedVolume(volume, path, read_only):
                return docker.ContainerVolumeArgs(
                    volume_name=volume, container_path=path, read_only=read_only
                )
            case HostDirectory(host_path, path):
                return docker.ContainerVolumeArgs(host_path=host_path, container_path=path, read_only=True)


def create_gate(
    name: str, services: Sequence[Service], platform: Platform, *, parent: pulumi.Resource | None = None
) -> Gate:
    """A gate for one service, or one for several."""
    gate = Gate(
        name,
        [service.awaited for service in services],
        stack=platform.stack,
        engine=platform.engine,
        since=platform.since,
        opts=pulumi.ResourceOptions(parent=parent, hide_diffs=["since"]),
    )
    for service in services:
        service.gates.append(gate)
        platform.ungated.remove(service)
    return gate


def gate_the_rest(platform: Platform) -> None:
    """One gate for all services that have none yet, so that none is left without limits and supervision."""
    if platform.ungated:
        create_gate("rest-ready", list(platform.ungated), platform)


def _gates(name: str, after: Sequence[Service]) -> list[Gate]:
    for service in after:
        if not service.gates:
            message = f"{name} waits for {service.name}, which no gate awaits: give it awaited=True"
            raise ValueError(message)
    return [gate for service in after for gate in service.gates]


def _identity(name: str, spec: ServiceSpec, platform: Platform) -> dict[str, object]:
    role = ONE_SHOT if spec.health is None else LONG_RUNNING
    labels = platform.labels(name) | {ROLE: role}
    return {
        "name": platform.name(name),
        "hostname": name,
        "image": spec.image,
        "entrypoints": spec.entrypoint,
        "command": spec.command,
        "envs": sorted(f"{key}={value}" for key, value in spec.environment.items()),
        "labels": [
            docker.ContainerLabelArgs(label=key, value=value) for key, value in sorted(labels.items())
        ],
        "network_mode": "bridge",
        "networks_advanced": [
            docker.ContainerNetworksAdvancedArgs(name=platform.network, aliases=[name]),
        ],
        "log_driver": "json-file",
        "log_opts": {"max-size": "10m", "max-file": "3", "tag": platform.name(name)},
    }


def _hardening(spec: ServiceSpec) -> dict[str, object]:
    return {
        "user": spec.user,
        "security_opts": ["no-new-privileges:true"],
        "capabilities": docker.ContainerCapabilitiesArgs(
            drops=["ALL"], adds=[f"CAP_{capability}" for capability in sorted(spec.capabilities)]
        ),
        "init": spec.init,
        "tmpfs": dict(spec.tmpfs),
    }


def _resources(spec: ServiceSpec) -> dict[str, object]:
    memory = mebibytes(spec.memory)
    one_shot = spec.health is None
    return {
        "memory": memory,
        "memory_swap": memory,
        "cpu_shares": spec.cpu_shares,
        "restart": "no" if one_shot else "unless-stopped",
        "must_run": not one_shot,
        "destroy_grace_seconds": spec.stop_grace,
        "stop_timeout": spec.stop_grace,
        "stop_signal": spec.stop_signal,
    }


def _health_check(health: HealthCheck | None) -> docker.ContainerHealthcheckArgs | None:
    if health is None:
        return None
    return docker.ContainerHealthcheckArgs(
        tests=["CMD", *health.command],
        interval=go_duration(health.interval),
        timeout=go_duration(health.timeout),
        start_period=go_duration(health.start_period),
        retries=health.retries,
    )


def _uploads(spec: ServiceSpec) -> list[docker.ContainerUploadArgs]:
    public = {path: (pulumi.Output.from_input(text), "0444") for path, text in spec.files.items()}
    secret = {secret_path(name): (pulumi.Output.secret(text), "0440") for name, text in spec.secrets.items()}
    return [
        docker.ContainerUploadArgs(file=path, content=content, permissions=mode)
        for path, (content, mode) in sorted((public | secret).items())
    ]


def go_duration(seconds: int) -> str:
    """Seconds in the form that the engine gives back, so that a second ``up`` sees no change: ``1m30s``."""
    if seconds >= 3600:
        message = f"{seconds} s: the engine gives hours back in another form than this"
        raise ValueError(message)
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
