"""Prometheus: collects the metrics of every service that declares some, and judges them by their rules."""

from collections.abc import Iterable

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.service import DataVolume, HealthCheck, Service, ServiceSpec
from configs import prometheus as config
from configs import rules
from configs.alerts import prometheus as alerts
from configs.blackbox_exporter import scrape_jobs as probe_jobs
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.watch import Watch
from settings import Settings

_USER = "65534:0"
_PORT = 9090
_CONFIG = "/etc/prometheus/prometheus.yml"
_RULES = "/etc/prometheus/rules"
_DATA = "/prometheus"


class Prometheus(pulumi.ComponentResource):
    """The metrics store, scraping and judging what ``watched`` declares.

    Creates: one :class:`Service`, ``prometheus``, with its data volume.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How Prometheus itself is watched."""
        return Watch(
            scrape_jobs=(ScrapeJob(name="prometheus", targets=(f"localhost:{_PORT}",)),),
            rules=alerts.groups(links),
            inhibitions=alerts.INHIBITIONS,
        )

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        *,
        watched: Iterable[Watch],
        links: Links,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Prometheus", "prometheus", None, opts)
        watches = list(watched)
        groups = [group for watch in watches for group in watch.rules]
        rules.unique_names(groups)
        configuration = config.render(
            [*(job for watch in watches for job in watch.scrape_jobs), *probe_jobs(watches)],
            stack=platform.stack,
            scrape_interval=settings.prometheus.scrape_interval,
            rule_files=f"{_RULES}/*.yml",
            alertmanager="alertmanager:9093",
        )
        spec = ServiceSpec(
            image=platform.images["prometheus"],
            user=_USER,
            memory=settings.prometheus.memory,
            command=config.flags(
                config_file=_CONFIG,
                data=_DATA,
                public_url=links.prometheus,
                retention_seconds=settings.prometheus.retention_time,
                retention_bytes=settings.prometheus.retention_size,
            ),
            files={_CONFIG: configuration}
            | {
                f"{_RULES}/{group.component}.yml": rules.render(group, runbooks=links.runbooks)
                for group in groups
            },
            mounts=[DataVolume("data", _DATA)],
            ports={_PORT: settings.ports()["prometheus"]},
            health=HealthCheck(
                command=["wget", "-q", "-O", "/dev/null", f"http://localhost:{_PORT}/-/ready"],
                interval=2,
                start_period=60,
            ),
            stop_grace=30,
        )
        self.service = Service("prometheus", spec, platform, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
