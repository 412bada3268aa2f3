"""Exporter of Airflow's metadata database: which runs failed, are late or hang, seen by anybody or not."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import HealthCheck, Service, ServiceSpec
from configs import airflow_exporter as config
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.secret_files import secret_path
from configs.watch import Watch
from settings import Settings

_USER = "50000:0"
_SECRET = "postgres_monitor_password"
_JOB_TYPES = {"airflow-scheduler": "SchedulerJob", "airflow-dag-processor": "DagProcessorJob"}
_TRIGGERER = {"airflow-triggerer": "TriggererJob"}


class AirflowExporter(pulumi.ComponentResource):
    """The exporter; it reads as a role that can change nothing.

    Creates: one :class:`Service`, ``airflow-exporter``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """Where its page is; what it says of Airflow is judged by Airflow's own rules."""
        del links
        job = ScrapeJob(
            name="airflow-exporter",
            targets=(f"airflow-exporter:{config.PORT}",),
            interval=config.INTERVAL_SECONDS,
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
        super().__init__(f"{TOKEN}AirflowExporter", "airflow-exporter", None, opts)
        triggerer = _TRIGGERER if settings.airflow.triggerer_enabled else {}
        spec = ServiceSpec(
            image=platform.images["airflow"],
            user=_USER,
            memory=settings.airflow_exporter.memory,
            entrypoint=config.command(password_file=secret_path(_SECRET), services=_JOB_TYPES | triggerer),
            files=config.files(),
            secrets={_SECRET: secrets.postgres_monitor_password},
            health=HealthCheck(command=config.PROBE, interval=10, start_period=30),
            pids=32,
            stop_grace=5,
        )
        self.service = Service(
            "airflow-exporter", spec, platform, after=[after], opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})
