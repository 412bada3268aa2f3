"""What Alertmanager is told: who is told of which alert, how soon, how often, and in which words.

Critical and warning alerts go to everybody, PagerDuty gets critical ones only, and those of severity info are
seen on the pages of Prometheus and Alertmanager alone. Receivers' secrets are files, see
:mod:`configs.secret_files`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from configs.rules import Inhibition
from configs.secret_files import secret_path

MESSAGES = Path(__file__).with_suffix("") / "messages.tmpl"
"""The templates of all messages but the webhook's, which is JSON with everything in it."""

_DAY = 24 * 3600
_NOBODY = "nobody"
_WATCHDOG = "watchdog"

# What belongs together in one message: the failures of one run or task, or all that is wrong with a service.
_GROUPED_BY = ["component", "dag_id", "run_id", "task_id"]
# Somebody waits for it: one second to gather what fails at the same moment.
_AT_ONCE = {"group_wait": "1s", "group_interval": "20s"}
_SOON = {"group_wait": "10s", "group_interval": "2m"}
# Shorter than a minute: told at every second look, each a little later than the exact minute.
_EVERY_MINUTE = {"group_wait": "0s", "group_interval": "30s", "repeat_interval": "50s"}


@dataclass(frozen=True, kw_only=True)
class Mail:
    """How mails are sent.

    Attributes:
        to: addresses separated by commas.
        sender: one address; empty for the first of ``to``.
        server: host and port; port 465 is spoken to in TLS from the first byte.
        username: login, with the secret ``smtp_password``; empty for none.
        require_tls: whether mails are sent over TLS only.
    """

    to: str
    sender: str
    server: str
    username: str
    require_tls: bool


def flags(*, config_file: str, data: str, public_url: str, repeat_interval: int) -> list[str]:
    """Return the server's arguments.

    ``data`` holds silences and the record of who was told of what, without which everybody is told again
    after a restart; it must reach back further than ``repeat_interval``, in seconds.
    """
    return [
        f"--config.file={config_file}",
        f"--storage.path={data}",
        f"--data.retention={max(5 * _DAY, 2 * repeat_interval)}s",
        f"--web.external-url={public_url}",
        "--cluster.listen-address=",
    ]


def render(
    inhibitions: Iterable[Inhibition],
    *,
    receivers: Collection[str],
    mail: Mail | None,
    slack_channel: str,
    repeat_interval: int,
    templates: str,
) -> str:
    """Return ``alertmanager.yml``.

    Args:
        inhibitions: which alerts are pointless while others fire.
        receivers: names of the secrets of receivers that are given (``alert_webhook_url`` and so on).
        mail: how mails are sent; None for no mails.
        slack_channel: overrides the channel of Slack's webhook; empty for none.
        repeat_interval: seconds until somebody is told again of an alert that still fires.
        templates: path of the file with the text of :data:`MESSAGES`.
    """
    everybody = {"repeat_interval": f"{repeat_interval}s", "group_by": _GROUPED_BY}
    config = {
        "global": {} if mail is None else _mail_server(mail),
        "templates": [templates],
        "route": {
            "receiver": _NOBODY,
            "routes": [
                _route(_WATCHDOG, 'alertname="Watchdog"', **_EVERY_MINUTE),
                _route("critical", 'severity="critical"', **everybody, **_AT_ONCE),
                _route("warning", 'severity="warning"', 'run_id!=""', **everybody, **_AT_ONCE),
                _route("warning", 'severity="warning"', **everybody, **_SOON),
            ],
        },
        "inhibit_rules": [_inhibit_rule(inhibition) for inhibition in inhibitions],
        "receivers": [
            {"name": _NOBODY},
            {"name": _WATCHDOG, **_watchdog(receivers)},
            {"name": "critical", **_everybody(receivers, mail, slack_channel), **_pager(receivers)},
            {"name": "warning", **_everybody(receivers, mail, slack_channel)},
        ],
    }
    return yaml.dump(config, Dumper=_WithoutAliases, sort_keys=False)


def told(*, receivers: Collection[str], email_to: str, slack_channel: str = "") -> list[str]:
    """In words, everybody who is told of critical alerts; empty when nobody is."""
    ways = {
        "the webhook": "alert_webhook_url" in receivers,
        f"{email_to} by mail": email_to,
        f"Slack {slack_channel}".strip(): "slack_webhook_url" in receivers,
        "PagerDuty": "pagerduty_routing_key" in receivers,
    }
    return [way for way, chosen in ways.items() if chosen]


class _WithoutAliases(yaml.SafeDumper):
    """Writes out what is used twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _route(receiver: str, *matchers: str, **timing: Any) -> dict[str, Any]:
    return {"receiver": receiver, "matchers": list(matchers), **timing}


def _inhibit_rule(inhibition: Inhibition) -> dict[str, Any]:
    return {
        "source_matchers": [f'alertname="{inhibition.source}"'],
        "target_matchers": list(inhibition.targets),
        "equal": list(inhibition.equal),
    }


def _mail_server(mail: Mail) -> dict[str, Any]:
    server = {
        "smtp_smarthost": mail.server,
        "smtp_from": mail.sender or mail.to.split(",")[0],
        "smtp_require_tls": mail.require_tls,
    }
    if mail.username:
        password = secret_path("smtp_password")
        server |= {"smtp_auth_username": mail.username, "smtp_auth_password_file": password}
    return server


def _everybody(receivers: Collection[str], mail: Mail | None, slack_channel: str) -> dict[str, Any]:
    ways: dict[str, Any] = {}
    if "alert_webhook_url" in receivers:
        ways["webhook_configs"] = [{"url_file": secret_path("alert_webhook_url"), "send_resolved": True}]
    if mail is not None:
        ways["email_configs"] = [
            {
                "to": mail.to,
                "send_resolved": True,
                "headers": {"Subject": _template("subject")},
                "text": _template("text"),
                "html": _template("html"),
            }
        ]
    if "slack_webhook_url" in receivers:
        channel = {"channel": slack_channel} if slack_channel else {}
        ways["slack_configs"] = [
            {
                "api_url_file": secret_path("slack_webhook_url"),
                **channel,
                "send_resolved": True,
                "title": _template("subject"),
                "fallback": _template("subject"),
                "text": _template("slack"),
            }
        ]
    return ways


def _pager(receivers: Collection[str]) -> dict[str, Any]:
    if "pagerduty_routing_key" not in receivers:
        return {}
    links = ("dag", "run", "task", "logs", "service_logs", "trace", "dashboard")
    return {
        "pagerduty_configs": [
            {
                "routing_key_file": secret_path("pagerduty_routing_key"),
                "send_resolved": True,
                "severity": "critical",
                "component": "{{ .CommonLabels.component }}",
                "source": "{{ .CommonLabels.stack }}",
                "description": _template("subject"),
                "details": {"text": _template("text")},
                "links": [{"text": name, "href": f"{{{{ .CommonAnnotations.{name} }}}}"} for name in links],
            }
        ]
    }


def _watchdog(receivers: Collection[str]) -> dict[str, Any]:
    if "watchdog_url" not in receivers:
        return {}
    return {"webhook_configs": [{"url_file": secret_path("watchdog_url"), "send_resolved": False}]}


def _template(name: str) -> str:
    return f'{{{{ template "mlops.{name}" . }}}}'
