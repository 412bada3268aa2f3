"""Airflow: the pipelines themselves, one container for each of its processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi

from components.images import PIPELINES
from components.naming import TOKEN
from components.platform import Platform
from components.postgres import Postgres
from components.secrets import Secrets
from components.service import (
    PIPELINE_CPU_SHARES,
    HealthCheck,
    HostDirectory,
    Mount,
    Service,
    ServiceSpec,
    SharedVolume,
    create_gate,
)
from configs import airflow as config
from configs import airflow_remote_logs as stored_logs
from configs import airflow_traces as traces
from configs import postgres as postgres_config
from configs.alerts import airflow as airflow_alerts
from configs.alerts import pipelines as pipelines_alerts
from configs.dashboards import airflow as airflow_dashboard
from configs.dashboards import pipelines as pipelines_dashboard
from configs.links import Links
from configs.secret_files import secret_path
from configs.watch import Probe, Watch
from settings import Settings
from toolchain.paths import REPOSITORY

_USER = "50000:0"
_PORT = 8080
_HELPERS = REPOSITORY / "pipelines" / "include"


class Airflow(pulumi.ComponentResource):
    """API server, scheduler (with LocalExecutor), DAG processor and triggerer, after a one-shot migration.

    Creates: ``docker.Volume`` for task logs and one for task data, and a :class:`Service` for each process
    and for ``airflow-migrate``.

    Attributes:
        migrate: ready once the database has its schema, the admin user and the role for who watches it.
        services: the long-running processes.
        task_logs: physical name of the volume that task logs are written to.
    """

    migrate: Service
    services: Sequence[Service]
    task_logs: pulumi.Output[str]

    @staticmethod
    def watch(links: Links) -> Watch:
        """How Airflow and the pipelines that it runs are watched."""
        return Watch(
            probes=(
                Probe(
                    service="airflow-api-server",
                    url=f"http://airflow-api-server:{_PORT}/api/v2/monitor/health",
                    # It answers with 200 whatever it has to say.
                    body=config.HEALTHY_BODY,
                ),
            ),
            rules=(*airflow_alerts.groups(links), *pipelines_alerts.groups(links)),
            inhibitions=airflow_alerts.INHIBITIONS,
            dashboards={
                "airflow.json": airflow_dashboard.render(links),
                "pipelines.json": pipelines_dashboard.render(links),
            },
        )

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        postgres: Postgres,
        links: Links,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Airflow", "airflow", None, opts)
        self._platform = platform
        self._settings = settings
        self.task_logs = platform.volume("airflow", "logs", parent=self)
        self._mounts = self._create_mounts()
        self._environment = config.environment(
            stack=platform.stack,
            public_url=links.airflow,
            parallelism=settings.airflow.parallelism,
            api_workers=settings.airflow.api_workers,
            dag_refresh_seconds=settings.airflow.dag_refresh_interval,
            dags_paused_at_creation=settings.airflow.dags_paused_at_creation,
            log_level=settings.airflow.log_level,
            further=self._stored_logs(links),
        )
        self._environment |= self._traces()
        self._secrets: Mapping[str, pulumi.Input[str]] = {
            "sql_alchemy_conn": postgres.connection_uri,
            "fernet_key": secrets.airflow_fernet_key,
            "api_secret_key": secrets.airflow_api_secret_key,
            "jwt_secret": secrets.airflow_jwt_secret,
        }
        # For the API server alone, which shows them: tasks have no business with them.
        self._log_secret: Mapping[str, pulumi.Input[str]] = (
            {stored_logs.SECRET: secrets.log_reader_password} if settings.enabled("filebeat") else {}
        )
        self.migrate = self._migration(secrets, after=postgres.service)
        self.services = [
            self._process("api-server", settings.airflow.api_server_memory, _api_probe(), published=True),
            self._process("scheduler", settings.airflow.scheduler_memory, _probe("SchedulerJob"), pids=1024),
            self._process("dag-processor", settings.airflow.dag_processor_memory, _probe("DagProcessorJob")),
        ]
        if settings.airflow.triggerer_enabled:
            memory = settings.airflow.triggerer_memory
            self.services.append(self._process("triggerer", memory, _probe("TriggererJob")))
        create_gate("airflow-ready", self.services, platform, parent=self)
        self.register_outputs({})

    def _stored_logs(self, links: Links) -> Mapping[str, Mapping[str, object]]:
        if not self._settings.enabled("filebeat"):
            return {}
        return stored_logs.remote_log_settings(stack=self._platform.stack, kibana=links.log_of("{log_id}"))

    def _traces(self) -> Mapping[str, str]:
        if not self._settings.enabled("jaeger"):
            return {}
        return traces.environment(
            sample_percent=self._settings.jaeger.sample_percent, stack=self._platform.stack
        )

    def _create_mounts(self) -> Sequence[Mount]:
        airflow = self._settings.airflow
        return [
            SharedVolume(self.task_logs, f"{config.HOME}/logs"),
            SharedVolume(self._platform.volume("airflow", "data", parent=self), f"{config.HOME}/data"),
            HostDirectory(_absolute(airflow.dags_path), f"{config.HOME}/dags"),
            HostDirectory(_absolute(airflow.plugins_path), f"{config.HOME}/plugins"),
            HostDirectory(str(_HELPERS), f"{config.HOME}/include"),
        ]

    def _migration(self, secrets: Secrets, *, after: Service) -> Service:
        spec = ServiceSpec(
            image=self._platform.images[PIPELINES],
            user=_USER,
            memory=self._settings.memory()["airflow-migrate"],
            health=None,
            entrypoint=config.MIGRATE,
            environment=self._environment
            | config.migration_environment(
                admin=self._settings.airflow.admin_username,
                admin_password_file=secret_path("airflow_admin_password"),
                monitor=postgres_config.MONITOR,
                monitor_password_file=secret_path("postgres_monitor_password"),
            ),
            files=config.migration_files(),
            secrets={
                **self._secrets,
                "airflow_admin_password": secrets.airflow_admin_password,
                "postgres_monitor_password": secrets.postgres_monitor_password,
            },
            mounts=self._mounts,
            start_timeout=300,
        )
        return Service(
            "airflow-migrate",
            spec,
            self._platform,
            after=[after],
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _process(
        self, command: str, memory: int, health: HealthCheck, *, pids: int = 256, published: bool = False
    ) -> Service:
        name = f"airflow-{command}"
        spec = ServiceSpec(
            image=self._platform.images[PIPELINES],
            user=_USER,
            memory=memory,
            health=health,
            command=[command],
            environment=self._environment,
            files=config.probe_files(),
            secrets={**self._secrets, **(self._log_secret if published else {})},
            mounts=self._mounts,
            ports={_PORT: self._settings.ports()[name]} if published else {},
            pids=pids,
            # The image's own dumb-init passes signals on; a running task gets time to end.
            init=False,
            cpu_shares=PIPELINE_CPU_SHARES,
            stop_grace=30,
            start_timeout=300,
        )
        return Service(
            name, spec, self._platform, after=[self.migrate], opts=pulumi.ResourceOptions(parent=self)
        )


def _absolute(path: str) -> str:
    return str((REPOSITORY / Path(path)).resolve())


def _probe(job_type: str) -> HealthCheck:
    return HealthCheck(command=config.heartbeat_probe(job_type), interval=5, timeout=10, start_period=180)


def _api_probe() -> HealthCheck:
    return HealthCheck(command=config.API_PROBE, interval=3, timeout=10, start_period=180)
