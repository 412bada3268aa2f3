"""Alertmanager: tells people about alerts, once, together with what belongs together."""

from collections.abc import Iterable

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import DataVolume, HealthCheck, Service, ServiceSpec
from configs import alertmanager as config
from configs.alerts import alertmanager as alerts
from configs.links import Links
from configs.scrape import ScrapeJob
from configs.watch import Watch
from settings import Settings

_USER = "65534:0"
_PORT = 9093
_CONFIG = "/etc/alertmanager/alertmanager.yml"
_MESSAGES = "/etc/alertmanager/messages.tmpl"
_DATA = "/alertmanager"


class Alertmanager(pulumi.ComponentResource):
    """The receivers that the settings name, and the inhibitions that ``watched`` declares.

    Creates: one :class:`Service`, ``alertmanager``, with its data volume.
    """

    @staticmethod
    def watch(links: Links) -> Watch:
        """How Alertmanager itself is watched."""
        job = ScrapeJob(name="alertmanager", targets=(f"alertmanager:{_PORT}",))
        return Watch(scrape_jobs=(job,), rules=alerts.groups(links))

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        watched: Iterable[Watch],
        links: Links,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Alertmanager", "alertmanager", None, opts)
        chosen = settings.alertmanager
        configuration = config.render(
            [inhibition for watch in watched for inhibition in watch.inhibitions],
            receivers=secrets.receivers,
            mail=_mail(settings),
            slack_channel=chosen.slack_channel,
            repeat_interval=chosen.repeat_interval,
            templates=_MESSAGES,
        )
        spec = ServiceSpec(
            image=platform.images["alertmanager"],
            user=_USER,
            memory=chosen.memory,
            command=config.flags(
                config_file=_CONFIG,
                data=_DATA,
                public_url=links.alertmanager,
                repeat_interval=chosen.repeat_interval,
            ),
            files={_CONFIG: configuration, _MESSAGES: config.MESSAGES.read_text()},
            secrets=secrets.receivers,
            mounts=[DataVolume("data", _DATA)],
            ports={_PORT: settings.ports()["alertmanager"]},
            health=HealthCheck(
                command=["wget", "-q", "-O", "/dev/null", f"http://localhost:{_PORT}/-/ready"], interval=2
            ),
        )
        self.service = Service("alertmanager", spec, platform, opts=pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


def _mail(settings: Settings) -> config.Mail | None:
    chosen = settings.alertmanager
    if not chosen.email_to:
        return None
    return config.Mail(
        to=chosen.email_to,
        sender=chosen.email_from,
        server=chosen.smtp_host,
        username=chosen.smtp_username,
        require_tls=chosen.smtp_require_tls,
    )
