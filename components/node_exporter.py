"""Node exporter: the Docker host's processors, memory and disks."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.service import HealthCheck, HostDirectory, Service, ServiceSpec
from configs import node_exporter as config
from configs.alerts import host as alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.watch import Watch
from settings import Settings

# Not in group 0, which may read the secret files of every container below the engine's directory.
_USER = "65534:65534"
_HOST = "/host"


class NodeExporter(pulumi.ComponentResource):
    """The exporter, which sees the host's files read-only and without being root.

    Creates: one :class:`Service`, ``node-exporter``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How the Docker host is watched."""
        job = ScrapeJob(
            name="node-exporter",
            targets=(f"node-exporter:{config.PORT}",),
            interval=config.INTERVAL_SECONDS,
        )
        return Watch(scrape_jobs=(job,), rules=alerts.groups(links), inhibitions=alerts.INHIBITIONS)

    def __init__(
        self, platform: Platform, settings: Settings, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"{TOKEN}NodeExporter", "node-exporter", None, opts)
        spec = ServiceSpec(
            image=platform.images["node-exporter"],
            user=_USER,
            memory=settings.node_exporter.memory,
            command=config.flags(root=_HOST, docker_root=platform.docker_root),
            mounts=[HostDirectory("/", _HOST)],
            health=HealthCheck(
                command=["wget", "-q", "-O", "/dev/null", f"http://localhost:{config.PORT}/"],
                start_period=20,
            ),
            pids=64,
        )
        self.service = Service("node-exporter", spec, platform, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
