"""Blackbox exporter: asks the pages that the services declare whether they answer."""

from collections.abc import Iterable

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.service import HealthCheck, Service, ServiceSpec
from configs import blackbox_exporter as config
from configs.alerts import probes as alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.watch import Watch
from settings import Settings

_USER = "65534:0"
_CONFIG = "/etc/blackbox_exporter/config.yml"


class BlackboxExporter(pulumi.ComponentResource):
    """The exporter, told of the pages that ``watched`` declares; Prometheus has it ask them.

    Creates: one :class:`Service`, ``blackbox-exporter``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How pages that do not answer are told of; who declares a page says so in its own ``Watch``."""
        job = ScrapeJob(name="blackbox-exporter", targets=(f"blackbox-exporter:{config.PORT}",))
        return Watch(scrape_jobs=(job,), rules=alerts.groups(links), inhibitions=alerts.INHIBITIONS)

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        *,
        watched: Iterable[Watch],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}BlackboxExporter", "blackbox-exporter", None, opts)
        spec = ServiceSpec(
            image=platform.images["blackbox-exporter"],
            user=_USER,
            memory=settings.blackbox_exporter.memory,
            command=[f"--config.file={_CONFIG}"],
            files={_CONFIG: config.render(watched)},
            health=HealthCheck(
                command=["wget", "-q", "-O", "/dev/null", f"http://localhost:{config.PORT}/-/healthy"],
                interval=2,
                start_period=20,
            ),
            pids=64,
        )
        self.service = Service("blackbox-exporter", spec, platform, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
