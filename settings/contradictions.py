"""Settings that are right by themselves and wrong together."""

from collections.abc import Collection, Iterator, Mapping
from operator import attrgetter

from settings.model import PUBLISHED, Settings, sections
from settings.report import Problem
from units import size_text

_SMTPS = ":465"
"""The port at which mail servers speak TLS from the first byte on, which the setting is not about."""


def contradictions(
    settings: Settings, broken: frozenset[str], absent: Mapping[str, Collection[str]]
) -> Iterator[Problem]:
    """Values that are right by themselves and wrong together; none that only follows from a broken key."""
    for keys, problem in (
        *_heap(settings),
        *_missing_services(settings, absent),
        *_port_clashes(settings),
        *_receivers(settings),
    ):
        if broken.isdisjoint(keys):
            yield problem


def _heap(settings: Settings) -> Iterator[tuple[set[str], Problem]]:
    memory, heap = settings.elasticsearch.memory, settings.elasticsearch.heap
    if heap * 2 > memory:
        yield (
            {"elasticsearch.heap", "elasticsearch.memory"},
            Problem(
                "elasticsearch.heap",
                f"{size_text(heap)} exceeds half of elasticsearch.memory ({size_text(memory)}), whose other "
                f"half is needed outside of the heap; at most {size_text(memory // 2)}",
            ),
        )


def _missing_services(
    settings: Settings, absent: Mapping[str, Collection[str]]
) -> Iterator[tuple[set[str], Problem]]:
    for client in ("kibana", "filebeat", "filebeat_containers", "jaeger"):
        if settings.enabled(client) and not settings.elasticsearch.enabled:
            yield (
                {f"{client}.enabled", "elasticsearch.enabled"},
                Problem(
                    f"{client}.enabled", f"true needs elasticsearch.enabled; set {client}.enabled to false"
                ),
            )
    if settings.enabled("filebeat_containers") and not settings.enabled("filebeat"):
        yield (
            {"filebeat_containers.enabled", "filebeat.enabled", "elasticsearch.enabled"},
            Problem(
                "filebeat_containers.enabled",
                "true needs filebeat.enabled, whose exporter watches both; "
                "set filebeat_containers.enabled to false",
            ),
        )
    for service in absent.get(settings.image_set, ()):
        if settings.enabled(service) and not getattr(getattr(settings, service), "image", ""):
            image = f", or give {service}.image" if "image" in sections()[service].model_fields else ""
            yield (
                {f"{service}.enabled", f"{service}.image", "image_set"},
                Problem(
                    f"{service}.enabled",
                    f"the image set {settings.image_set} has no {service}; "
                    f"set {service}.enabled to false{image}",
                ),
            )


def _port_clashes(settings: Settings) -> Iterator[tuple[set[str], Problem]]:
    taken: dict[int, str] = {}
    ports = settings.ports()
    for section, service in PUBLISHED.items():
        if service not in ports:
            continue
        other = taken.setdefault(ports[service], section)
        if other != section:
            involved = {f"{name}.{part}" for name in (section, other) for part in ("port", "enabled")}
            yield (
                involved | {"port_base"},
                Problem(
                    f"{section}.port", f"{ports[service]} is the port of {other} already; choose another"
                ),
            )


def _receivers(settings: Settings) -> Iterator[tuple[set[str], Problem]]:
    """Halves of a receiver, which would tell nobody."""
    needs = (
        ("alertmanager.email_to", "alertmanager.smtp_host"),
        ("alertmanager.email_from", "alertmanager.email_to"),
        ("alertmanager.smtp_host", "alertmanager.email_to"),
        ("alertmanager.smtp_username", "secrets.smtp_password"),
        ("secrets.smtp_password", "alertmanager.smtp_username"),
        ("alertmanager.slack_channel", "secrets.slack_webhook_url"),
    )
    open_login = not settings.alertmanager.smtp_require_tls and settings.alertmanager.smtp_username
    if open_login and not settings.alertmanager.smtp_host.endswith(_SMTPS):
        yield (
            {"alertmanager.smtp_require_tls", "alertmanager.smtp_username", "alertmanager.smtp_host"},
            Problem(
                "alertmanager.smtp_require_tls",
                "false cannot be had with alertmanager.smtp_username: passwords need TLS",
            ),
        )
    for key, needed in needs:
        if attrgetter(key)(settings) and not attrgetter(needed)(settings):
            yield {key, needed}, Problem(key, f"is of no use without {needed}; set that too, or remove {key}")
