"""Elasticsearch: the log store, with security on and users that may do only what they are for."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import PIPELINE_CPU_SHARES, DataVolume, HealthCheck, Service, ServiceSpec
from components.step import plan_step
from configs import elasticsearch as config
from configs.secret_files import secret_path
from configs.versions import lacks
from settings import Settings

_USER = "1000:0"
_PORT = 9200
_DATA = "/usr/share/elasticsearch/data"


class Elasticsearch(pulumi.ComponentResource):
    """A single node and the step that gives it users, roles, template, pipeline and data stream.

    Creates: two :class:`Service`: ``elasticsearch`` with its data volume, and ``elasticsearch-setup``.

    Attributes:
        setup: ready once the node can take log lines and answer log readers.
    """

    setup: Service

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Elasticsearch", "elasticsearch", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        netrc = pulumi.Output.format("machine localhost login elastic password {0}", secrets.elastic_password)
        spec = ServiceSpec(
            image=platform.images["elasticsearch"],
            user=_USER,
            memory=settings.elasticsearch.memory,
            entrypoint=config.ENTRYPOINT,
            command=config.COMMAND,
            environment=config.environment(
                stack=platform.stack,
                heap_bytes=settings.elasticsearch.heap,
                password_file=secret_path("elastic_password"),
            ),
            secrets={"elastic_password": secrets.elastic_password, "elastic_netrc": netrc},
            mounts=[DataVolume("data", _DATA)],
            ports={_PORT: settings.ports()["elasticsearch"]},
            health=HealthCheck(
                command=[
                    *("curl", "-sf", "-o", "/dev/null", "--netrc-file", secret_path("elastic_netrc")),
                    f"http://localhost:{_PORT}/_cluster/health?wait_for_status=yellow&timeout=4s",
                ],
                start_period=300,
            ),
            cpu_shares=PIPELINE_CPU_SHARES,
            stop_grace=60,
            start_timeout=420,
            pids=2048,
        )
        self.node = Service("elasticsearch", spec, platform, awaited=True, opts=child)
        plan = config.setup_plan(
            stack=platform.stack,
            retention_seconds=settings.elasticsearch.log_retention,
            data_stream_api=not lacks("elasticsearch", settings.image_set, "data_stream_api"),
        )
        step = plan_step(
            platform,
            plan,
            memory=settings.memory()["elasticsearch-setup"],
            secrets={
                "elastic_password": secrets.elastic_password,
                "kibana_system_password": secrets.kibana_system_password,
                "kibana_user_password": secrets.kibana_user_password,
                "log_reader_password": secrets.log_reader_password,
                "log_writer_password": secrets.log_writer_password,
            },
        )
        self.setup = Service("elasticsearch-setup", step, platform, after=[self.node], opts=child)
        self.register_outputs({})
