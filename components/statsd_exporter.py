"""StatsD exporter: takes Airflow's tagged StatsD datagrams and shows them to Prometheus."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.service import HealthCheck, Service, ServiceSpec
from configs import statsd_exporter as config
from configs.alerts import statsd_exporter as alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.watch import Watch
from settings import Settings

_USER = "65534:0"
_HTTP_PORT = 9102
_MAPPING = "/etc/statsd-exporter/mapping.yml"


class StatsdExporter(pulumi.ComponentResource):
    """The exporter, on UDP and TCP 9125 for the platform's own containers only.

    Creates: one :class:`Service`, ``statsd-exporter``. Its metrics page is published on the host.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How the exporter itself and what comes through it are watched."""
        job = ScrapeJob(name="statsd-exporter", targets=(f"statsd-exporter:{_HTTP_PORT}",))
        return Watch(scrape_jobs=(job,), rules=alerts.groups(links))

    def __init__(
        self, platform: Platform, settings: Settings, *, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"{TOKEN}StatsdExporter", "statsd-exporter", None, opts)
        spec = ServiceSpec(
            image=platform.images["statsd-exporter"],
            user=_USER,
            memory=settings.statsd_exporter.memory,
            command=[f"--statsd.mapping-config={_MAPPING}"],
            files={_MAPPING: config.render()},
            ports={_HTTP_PORT: settings.ports()["statsd-exporter"]},
            health=HealthCheck(
                command=["wget", "-q", "-O", "/dev/null", f"http://localhost:{_HTTP_PORT}/-/healthy"],
                interval=2,
                start_period=20,
            ),
            pids=64,
        )
        self.service = Service("statsd-exporter", spec, platform, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
