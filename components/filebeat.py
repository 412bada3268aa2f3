"""Filebeat: ships Airflow's task logs, as a user who may only create documents."""

from collections.abc import Sequence

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import DataVolume, HealthCheck, Service, ServiceSpec, SharedVolume
from configs import filebeat as config
from configs.links import Links
from configs.secret_files import secret_path
from configs.watch import Watch
from settings import Settings

_USER = "1000:0"
_CONFIG = "/usr/share/filebeat/filebeat.yml"
_SECRET = "filebeat.yml"
_LOGS = "/opt/airflow/logs"


class Filebeat(pulumi.ComponentResource):
    """The shipper, with its registry on a volume, so that a new container ships nothing twice.

    Creates: one :class:`Service`, ``filebeat``.
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
        task_logs: pulumi.Input[str],
        after: Sequence[Service],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Filebeat", "filebeat", None, opts)
        spec = ServiceSpec(
            image=platform.images["filebeat"],
            user=_USER,
            memory=settings.filebeat.memory,
            entrypoint=["filebeat"],
            command=config.command(_CONFIG, secret_path(_SECRET)),
            environment=config.environment(memory_bytes=settings.filebeat.memory),
            files={_CONFIG: config.render(stack=platform.stack, logs_path=_LOGS)},
            secrets={_SECRET: secrets.log_writer_password.apply(config.render_secret)},
            mounts=[
                DataVolume("registry", "/usr/share/filebeat/data"),
                SharedVolume(task_logs, _LOGS, read_only=True),
            ],
            health=HealthCheck(command=config.PROBE, interval=2, start_period=30),
            stop_grace=15,
        )
        self.service = Service(
            "filebeat", spec, platform, after=after, awaited=True, opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})
