"""Jaeger: takes the traces of DAG runs, keeps them in Elasticsearch, and shows them."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import HealthCheck, Service, ServiceSpec
from configs import jaeger as config
from configs.alerts import jaeger as alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.secret_files import secret_path
from configs.watch import Probe, Watch
from settings import Settings

_USER = "10001:0"
_AIRFLOW_USER = "50000:0"
_CONFIG = "/etc/jaeger/config.yaml"
_UI = "/etc/jaeger/ui.json"
_SECRET = "jaeger_password"


class Jaeger(pulumi.ComponentResource):
    """Receiver (OTLP over HTTP, for the stack's own network only), query API and web interface in one.

    Creates: two :class:`Service`: ``jaeger``, and ``jaeger-retention``, which deletes what is past its age.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How Jaeger is watched."""
        job = ScrapeJob(
            name="jaeger", targets=(f"jaeger:{config.METRICS_PORT}",), drop=config.USELESS_METRICS
        )
        return Watch(
            scrape_jobs=(job,),
            probes=(
                # It asks the store, so that it tells whether traces can be found.
                Probe(service="jaeger", url=f"http://jaeger:{config.QUERY_PORT}/api/services"),
            ),
            rules=alerts.groups(links),
            inhibitions=alerts.INHIBITIONS,
        )

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        after: Service,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Jaeger", "jaeger", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        password = {_SECRET: secrets.jaeger_password}
        spec = ServiceSpec(
            image=platform.images["jaeger"],
            user=_USER,
            memory=settings.jaeger.memory,
            command=["--config", _CONFIG],
            environment=config.environment(memory_bytes=settings.jaeger.memory),
            files={
                _CONFIG: config.render(
                    stack=platform.stack,
                    password_file=secret_path(_SECRET),
                    memory_bytes=settings.jaeger.memory,
                    retention_seconds=settings.jaeger.retention,
                    ui_file=_UI,
                ),
                _UI: config.render_ui(airflow=settings.endpoints()["airflow"]),
            },
            secrets=password,
            ports={config.QUERY_PORT: settings.ports()["jaeger"]},
            # The image declares a volume there, which nothing is kept in.
            tmpfs={"/tmp": "size=16m"},
            health=HealthCheck(command=config.PROBE, interval=2, start_period=60),
        )
        self.service = Service("jaeger", spec, platform, after=[after], opts=child)
        retention = ServiceSpec(
            image=platform.images["airflow"],
            user=_AIRFLOW_USER,
            memory=settings.memory()["jaeger-retention"],
            entrypoint=config.retention_command(
                stack=platform.stack,
                password_file=secret_path(_SECRET),
                retention_seconds=settings.jaeger.retention,
            ),
            files=config.retention_files(),
            secrets=password,
            health=HealthCheck(command=config.RETENTION_PROBE, interval=10, start_period=60),
            pids=32,
        )
        self.retention = Service("jaeger-retention", retention, platform, after=[after], opts=child)
        self.register_outputs({})
