"""Kibana: exploring logs, with a data view and a saved search of the task logs already there."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import HealthCheck, Service, ServiceSpec
from components.step import plan_step
from configs import kibana as config
from configs.alerts import kibana as alerts
from configs.links import Links
from configs.secret_files import secret_path
from configs.watch import Probe, Watch
from settings import Settings

_USER = "1000:0"
_CONFIG = "/usr/share/kibana/config/kibana.yml"
_SECRET = "kibana.yml"
_HEALTHY_BODY = r'"overall":\s*\{"level":\s*"available"'


class Kibana(pulumi.ComponentResource):
    """Kibana as the user ``kibana_system``, and the step that imports its saved objects.

    Creates: two :class:`Service`: ``kibana`` and ``kibana-setup``.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How Kibana is watched: it has no metrics page, but says how it is."""
        page = f"http://kibana:{config.PORT}/api/status"
        return Watch(
            probes=(Probe(service="kibana", url=page, body=_HEALTHY_BODY),),
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
        public_url: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Kibana", "kibana", None, opts)
        child = pulumi.ResourceOptions(parent=self)
        secret_config = pulumi.Output.all(
            kibana_system_password=secrets.kibana_system_password,
            encryption_key=secrets.kibana_encryption_key,
        ).apply(lambda values: config.render_secret(**values))
        spec = ServiceSpec(
            image=platform.images["kibana"],
            user=_USER,
            memory=settings.kibana.memory,
            command=config.command(_CONFIG, secret_path(_SECRET)),
            environment=config.environment(memory_bytes=settings.kibana.memory),
            files={_CONFIG: config.render(public_url=public_url)},
            secrets={_SECRET: secret_config},
            ports={config.PORT: settings.ports()["kibana"]},
            health=HealthCheck(command=config.PROBE, start_period=300),
            stop_grace=15,
            start_timeout=420,
        )
        self.service = Service("kibana", spec, platform, after=[after], awaited=True, opts=child)
        step = plan_step(
            platform,
            config.setup_plan(stack=platform.stack),
            memory=settings.memory()["kibana-setup"],
            secrets={"elastic_password": secrets.elastic_password},
        )
        self.setup = Service("kibana-setup", step, platform, after=[self.service], opts=child)
        self.register_outputs({})
