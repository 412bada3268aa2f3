"""Grafana: dashboards over the metrics and logs of the stack."""

from collections.abc import Iterable

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import DataVolume, HealthCheck, Service, ServiceSpec
from configs import grafana as config
from configs.alerts import grafana as alerts
from configs.dashboards import infrastructure, logs, overview, watchers
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.secret_files import secret_path
from configs.watch import Probe, Watch
from settings import Settings

_USER = "472:0"
_HEALTHY_BODY = r'"database":\s*"ok"'


class Grafana(pulumi.ComponentResource):
    """Grafana with its data sources and the dashboards that ``watched`` declares, all provisioned.

    Creates: one :class:`Service`, ``grafana``, with its data volume.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How Grafana itself is watched."""
        page = f"grafana:{config.PORT}"
        return Watch(
            scrape_jobs=(ScrapeJob(name="grafana", targets=(page,)),),
            probes=(Probe(service="grafana", url=f"http://{page}/api/health", body=_HEALTHY_BODY),),
            rules=alerts.groups(links),
            dashboards={
                "overview.json": overview.render(links),
                "infrastructure.json": infrastructure.render(links),
                "watchers.json": watchers.render(links),
                **({"logs.json": logs.render(links)} if links.elasticsearch else {}),
            },
        )

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        watched: Iterable[Watch],
        public_url: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Grafana", "grafana", None, opts)
        dashboards = {name: text for watch in watched for name, text in watch.dashboards.items()}
        spec = ServiceSpec(
            image=platform.images["grafana"],
            user=_USER,
            memory=settings.grafana.memory,
            environment=config.environment(
                admin_username=settings.grafana.admin_username,
                admin_password_file=secret_path("grafana_admin_password"),
                public_url=public_url,
                secret_key_file=secret_path("grafana_secret_key"),
            ),
            files=config.files(
                stack=platform.stack,
                scrape_interval=settings.prometheus.scrape_interval,
                log_reader_password_file=secret_path("log_reader_password"),
                dashboards=dashboards,
                logs=settings.enabled("elasticsearch"),
                traces=settings.enabled("jaeger"),
            ),
            secrets={
                "grafana_secret_key": secrets.grafana_secret_key,
                "grafana_admin_password": secrets.grafana_admin_password,
                **(
                    {"log_reader_password": secrets.log_reader_password}
                    if settings.enabled("elasticsearch")
                    else {}
                ),
            },
            mounts=[DataVolume("data", "/var/lib/grafana")],
            ports={config.PORT: settings.ports()["grafana"]},
            # The official image runs each bundled data source as a process of its own.
            pids=1024,
            health=HealthCheck(command=config.PROBE, interval=2, start_period=90),
            stop_grace=15,
        )
        self.service = Service("grafana", spec, platform, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})
