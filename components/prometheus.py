"""Prometheus: collects the metrics of every service that declares some."""

from collections.abc import Iterable

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.service import DataVolume, HealthCheck, Service, ServiceSpec
from configs import prometheus as config
from configs.scrape import ScrapeJob
from configs.watch import Watch
from settings import Settings

_USER = "65534:0"
_PORT = 9090
_CONFIG = "/etc/prometheus/prometheus.yml"
_DATA = "/prometheus"


class Prometheus(pulumi.ComponentResource):
    """The metrics store, scraping what ``watched`` declares.

    Creates: one :class:`Service`, ``prometheus``, with its data volume.
    """

    watch = Watch(scrape_jobs=(ScrapeJob(name="prometheus", targets=(f"localhost:{_PORT}",)),))

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        *,
        watched: Iterable[Watch],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Prometheus", "prometheus", None, opts)
        jobs = [job for watch in watched for job in watch.scrape_jobs]
        spec = ServiceSpec(
            image=platform.images["prometheus"],
            user=_USER,
            memory=settings.prometheus.memory,
            command=config.flags(
                config_file=_CONFIG,
                data=_DATA,
                retention_seconds=settings.prometheus.retention_time,
                retention_bytes=settings.prometheus.retention_size,
            ),
            files={
                _CONFIG: config.render(
                    jobs, stack=platform.stack, scrape_interval=settings.prometheus.scrape_interval
                )
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
