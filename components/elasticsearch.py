"""Elasticsearch: the log store, with security on and users that may do only what they are for."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import PIPELINE_CPU_SHARES, DataVolume, HealthCheck, Service, ServiceSpec
from components.step import plan_step
from configs import elasticsearch as config
from configs.data_streams import LogRetention
from configs.links import Links
from configs.secret_files import secret_path
from configs.versions import lacks
from configs.watch import Watch
from settings import Settings

_USER = "1000:0"
_PORT = 9200
_DATA = "/usr/share/elasticsearch/data"


class Elasticsearch(pulumi.ComponentResource):
    """A single node and the step that gives it users, roles and data streams.

    Creates: two :class:`Service`: ``elasticsearch`` with its data volume, and ``elasticsearch-setup``.

    Attributes:
        setup: ready once the node can take log lines and answer log readers.
    """

    setup: Service

    @staticmethod
    def watch(_links: Links) -> Watch:
        """How it is watched: all that is known of it comes from its exporter, which declares it."""
        return Watch()

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
            retention=LogRetention(
                task_logs=settings.elasticsearch.log_retention,
                container_logs=settings.elasticsearch.container_log_retention,
                dead_letters=settings.elasticsearch.dead_letter_retention,
            ),
            data_stream_api=not lacks("elasticsearch", settings.image_set, "data_stream_api"),
        )
        step = plan_step(
            platform,
            plan,
            memory=settings.memory()["elasticsearch-setup"],
            secrets={name: getattr(secrets, name) for name in config.SECRETS},
        )
        self.setup = Service("elasticsearch-setup", step, platform, after=[self.node], opts=child)
        self.register_outputs({})
