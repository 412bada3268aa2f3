"""Elasticsearch exporter: the log store's figures, and the alerts about it."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import HealthCheck, Service, ServiceSpec
from configs import elasticsearch_exporter as config
from configs.alerts import elasticsearch as alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.secret_files import secret_path
from configs.watch import Watch
from settings import Settings

_USER = "65534:0"
_SECRET = "elastic_monitor_password"


class ElasticsearchExporter(pulumi.ComponentResource):
    """The exporter, as a user who may read the server's figures and no document.

    Creates: one :class:`Service`, ``elasticsearch-exporter``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How the log store is watched."""
        job = ScrapeJob(
            name="elasticsearch-exporter",
            targets=(f"elasticsearch-exporter:{config.PORT}",),
            interval=config.INTERVAL_SECONDS,
            drop=config.DROP,
        )
        return Watch(scrape_jobs=(job,), rules=alerts.groups(links), inhibitions=alerts.INHIBITIONS)

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        after: Service,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}ElasticsearchExporter", "elasticsearch-exporter", None, opts)
        spec = ServiceSpec(
            image=platform.images["elasticsearch-exporter"],
            user=_USER,
            memory=settings.elasticsearch_exporter.memory,
            entrypoint=config.entrypoint(password_file=secret_path(_SECRET)),
            command=config.flags(),
            environment=config.environment(),
            secrets={_SECRET: secrets.elastic_monitor_password},
            health=HealthCheck(
                command=["wget", "-q", "-O", "/dev/null", f"http://localhost:{config.PORT}/healthz"],
                start_period=40,
            ),
            pids=64,
        )
        self.service = Service(
            "elasticsearch-exporter",
            spec,
            platform,
            after=[after],
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
