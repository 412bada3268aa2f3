"""The reader of the services' own logs: a Filebeat beside the one that reads task logs.

It runs as root, since the engine's log files are root's alone, and without any capability, so that being root
lets it read those files and do nothing else; docs/decisions/container-log-reader.md has the reasons.
"""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import DataVolume, HealthCheck, HostDirectory, Service, ServiceSpec
from configs import filebeat, filebeat_containers
from configs.links import Links
from configs.secret_files import secret_path
from configs.watch import Watch
from settings import Settings

_USER = "0:0"
_CONFIG = "/usr/share/filebeat/filebeat.yml"
_SECRET = "filebeat.yml"
_CONTAINERS = "/var/lib/docker/containers"


class FilebeatContainers(pulumi.ComponentResource):
    """The shipper of container logs, with its registry on a volume, so that a new one ships nothing twice.

    Creates: one :class:`Service`, ``filebeat-containers``.
    """

    @staticmethod
    def watch(_links: Links) -> Watch:
        """How it is watched: all that is known of it comes from the log exporter, which declares it."""
        return Watch()

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        after: Service,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}FilebeatContainers", "filebeat-containers", None, opts)
        memory = settings.filebeat_containers.memory
        spec = ServiceSpec(
            image=platform.images["filebeat"],
            user=_USER,
            memory=memory,
            entrypoint=["filebeat"],
            command=filebeat.command(_CONFIG, secret_path(_SECRET)),
            environment=filebeat.environment(memory_bytes=memory),
            files={_CONFIG: filebeat_containers.render(stack=platform.stack, containers_path=_CONTAINERS)},
            secrets={_SECRET: secrets.log_writer_password.apply(filebeat.render_secret)},
            mounts=[
                DataVolume("registry", "/usr/share/filebeat/data"),
                HostDirectory(f"{platform.docker_root}/containers", _CONTAINERS),
            ],
            health=HealthCheck(command=filebeat.PROBE, interval=2, start_period=30),
            stop_grace=15,
        )
        self.service = Service(
            "filebeat-containers", spec, platform, after=[after], opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})
