"""Log exporter: follows log lines end to end, and shows how the Filebeats fare."""

from collections.abc import Sequence

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import HealthCheck, Service, ServiceSpec, SharedVolume
from configs import log_exporter as config
from configs.alerts import filebeat as filebeat_alerts
from configs.alerts import log_shipping as log_shipping_alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.secret_files import secret_path
from configs.watch import Watch
from settings import Settings

# Airflow's own, since its canaries lie among the tasks' logs.
_USER = "50000:0"
_LOGS = "/opt/airflow/logs"
_SECRET = "log_reader_password"


class LogExporter(pulumi.ComponentResource):
    """The exporter; it writes a canary line every half minute, and nobody needs to wait for it.

    Creates: one :class:`Service`, ``log-exporter``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How the shipping of logs is watched: by its canaries and by Filebeat's own figures."""
        return Watch(
            scrape_jobs=(ScrapeJob(name="log-exporter", targets=(f"log-exporter:{config.PORT}",)),),
            rules=(*log_shipping_alerts.groups(links), *filebeat_alerts.groups(links)),
            inhibitions=(*log_shipping_alerts.INHIBITIONS, *filebeat_alerts.INHIBITIONS),
        )

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        task_logs: pulumi.Input[str],
        after: Sequence[Service],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}LogExporter", "log-exporter", None, opts)
        spec = ServiceSpec(
            image=platform.images["airflow"],
            user=_USER,
            memory=settings.log_exporter.memory,
            entrypoint=config.COMMAND,
            files=config.files(
                stack=platform.stack,
                logs_path=_LOGS,
                password_file=secret_path(_SECRET),
                containers=settings.enabled("filebeat_containers"),
            ),
            secrets={_SECRET: secrets.log_reader_password},
            mounts=[SharedVolume(task_logs, _LOGS)],
            health=HealthCheck(command=config.PROBE, interval=5, start_period=30),
            pids=32,
            stop_grace=5,
        )
        self.service = Service(
            "log-exporter", spec, platform, after=after, opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})
