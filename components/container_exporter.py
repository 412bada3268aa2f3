"""Container exporter: processor, memory, restarts and absence of the stack's own containers.

It runs as root, since the engine's records are root's alone, and without any capability. It is not given the
engine's socket, with which it could do anything on the host. Before Engine 25 a mount that is read-only does
not make those below it so: there, and with control groups of version 1, which are mounted one by one, its
user could write the limits of other containers. The program opens nothing for writing.
"""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.service import HealthCheck, HostDirectory, Service, ServiceSpec
from configs import container_exporter as config
from configs.alerts import containers as alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.watch import Watch
from settings import Settings
from settings.model import ONE_SHOTS

_USER = "0:0"


class ContainerExporter(pulumi.ComponentResource):
    """The exporter, which knows from the settings which services are meant to run.

    Creates: one :class:`Service`, ``container-exporter``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How the stack's containers are watched."""
        job = ScrapeJob(name="container-exporter", targets=(f"container-exporter:{config.PORT}",))
        return Watch(
            scrape_jobs=(job,),
            rules=alerts.groups(links),
            inhibitions=alerts.INHIBITIONS,
        )

    def __init__(
        self, platform: Platform, settings: Settings, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"{TOKEN}ContainerExporter", "container-exporter", None, opts)
        spec = ServiceSpec(
            image=platform.images["airflow"],
            user=_USER,
            memory=settings.container_exporter.memory,
            entrypoint=config.command(
                project=platform.project,
                stack=platform.stack,
                services=settings.memory().keys() - ONE_SHOTS.keys(),
            ),
            files=config.files(),
            mounts=[
                HostDirectory(f"{platform.docker_root}/containers", config.RECORDS),
                HostDirectory("/sys/fs/cgroup", config.CONTROL_GROUPS),
            ],
            health=HealthCheck(command=config.PROBE, start_period=30),
            pids=32,
            stop_grace=5,
        )
        self.service = Service("container-exporter", spec, platform, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
