"""Postgres exporter: how Airflow's database fares."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import HealthCheck, Service, ServiceSpec
from configs import postgres_exporter as config
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.secret_files import secret_path
from configs.watch import Watch
from settings import Settings

_USER = "65534:0"
_SECRET = "postgres_monitor_password"


class PostgresExporter(pulumi.ComponentResource):
    """The exporter; it reads as a role that can change nothing.

    Creates: one :class:`Service`, ``postgres-exporter``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """Where its page is; what it says is judged by the database's own rules."""
        del links
        job = ScrapeJob(
            name="postgres-exporter",
            targets=(f"postgres-exporter:{config.PORT}",),
            interval=config.INTERVAL_SECONDS,
            drop=config.DROPPED,
        )
        return Watch(scrape_jobs=(job,))

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        after: Service,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}PostgresExporter", "postgres-exporter", None, opts)
        spec = ServiceSpec(
            image=platform.images["postgres-exporter"],
            user=_USER,
            memory=settings.postgres_exporter.memory,
            command=config.flags(),
            environment=config.environment(password_file=secret_path(_SECRET)),
            secrets={_SECRET: secrets.postgres_monitor_password},
            health=HealthCheck(
                command=["wget", "-q", "-O", "/dev/null", f"http://localhost:{config.PORT}/"],
                interval=5,
                start_period=20,
            ),
            pids=64,
            stop_grace=5,
        )
        self.service = Service(
            "postgres-exporter", spec, platform, after=[after], opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})
