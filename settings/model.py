"""All settings of the platform: the sections together, and what follows from their values.

The model is frozen and strict, knows neither Pulumi nor Docker, and is the only place where a setting is
declared, with what follows from it: ``Pulumi.yaml`` and ``docs/settings.md`` are generated from it
(``docs/settings_reference.py``), and ``loader.py`` reads a stack's configuration into it. Sizes are bytes,
durations are seconds.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic.fields import FieldInfo

import units
from settings.secrets import Secrets
from settings.services import (
    Airflow,
    Elasticsearch,
    Filebeat,
    FilebeatContainers,
    Grafana,
    Kibana,
    Postgres,
    Prometheus,
    StatsdExporter,
)
from settings.types import Enabled, Section
from settings.watchers import (
    AirflowExporter,
    Alertmanager,
    BlackboxExporter,
    ContainerExporter,
    ElasticsearchExporter,
    Jaeger,
    LogExporter,
    NodeExporter,
    PostgresExporter,
)
from units import GIB, MIB, Kind


class Settings(Section):
    """A stack's settings, checked; ``project`` and ``stack`` name what they are for."""

    project: str
    """Pulumi project, part of every name and label."""
    stack: str
    """Pulumi stack, part of every name and label."""
    image_set: Annotated[str, BeforeValidator(units.choice("official", "packages"))] = "official"
    """Where images come from: each project's own, or those that images/ builds from packages."""
    image_registry: Annotated[str, BeforeValidator(units.registry())] = ""
    """Registry (a mirror) put before every official image's name; empty for none."""
    bind_address: Annotated[str, BeforeValidator(units.ip_address())] = "127.0.0.1"
    """Address on the Docker host at which ports are published. Any other than 127.0.0.1 opens them to
    whoever reaches that address, without TLS."""
    public_host: Annotated[str, BeforeValidator(units.host_name())] = ""
    """Name by which browsers reach the Docker host: in links, the login's redirect and the stack's outputs.
    Empty for bind_address, or 127.0.0.1 where that is every address."""
    port_base: Annotated[int, BeforeValidator(units.whole_number(1024, 65500, name="port", also=(0,)))] = 0
    """First of a row of ports, one for each service, for stacks side by side on one host; 0 keeps every
    service's own port. A `<service>.port` that is set to another value than its default wins."""
    protect_data: Enabled = False
    """Whether data volumes, and the secrets that open them, are kept: `make down`, that is
    `pulumi destroy --exclude-protected`, leaves them, and a plain `pulumi destroy` refuses."""
    airflow: Airflow = Airflow()
    postgres: Postgres = Postgres()
    statsd_exporter: StatsdExporter = StatsdExporter()
    prometheus: Prometheus = Prometheus()
    grafana: Grafana = Grafana()
    elasticsearch: Elasticsearch = Elasticsearch()
    kibana: Kibana = Kibana()
    filebeat: Filebeat = Filebeat()
    filebeat_containers: FilebeatContainers = FilebeatContainers()
    jaeger: Jaeger = Jaeger()
    alertmanager: Alertmanager = Alertmanager()
    node_exporter: NodeExporter = NodeExporter()
    container_exporter: ContainerExporter = ContainerExporter()
    airflow_exporter: AirflowExporter = AirflowExporter()
    postgres_exporter: PostgresExporter = PostgresExporter()
    elasticsearch_exporter: ElasticsearchExporter = ElasticsearchExporter()
    blackbox_exporter: BlackboxExporter = BlackboxExporter()
    log_exporter: LogExporter = LogExporter()
    secrets: Secrets = Field(default=Secrets(), repr=False)

    def enabled(self, section: str) -> bool:
        """Whether the service of a section runs: it is not switched off, nor is what it is for."""
        is_on = bool(getattr(getattr(self, section), "enabled", True))
        return is_on and (section not in COMPANIONS or self.enabled(COMPANIONS[section]))

    def ports(self) -> dict[str, int]:
        """Published port of each enabled service, by its name on the stack's network."""
        published = {}
        for offset, (section, service) in enumerate(PUBLISHED.items()):
            own = getattr(self, section).port
            is_default = own == type(getattr(self, section)).model_fields["port"].default
            if self.enabled(section):
                published[service] = self.port_base + offset if self.port_base and is_default else own
        return published

    def endpoints(self) -> dict[str, str]:
        """Address of each published service, as browsers are to use it."""
        reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind_address, self.bind_address)
        host = self.public_host or reached
        authority = f"[{host}]" if ":" in host else host
        ports = self.ports()
        return {
            section.replace("_", "-"): f"http://{authority}:{ports[service]}"
            for section, service in PUBLISHED.items()
            if service in ports
        }

    def memory(self) -> dict[str, int]:
        """Memory limit in bytes of each enabled container, one-shot steps included, by its service name."""
        limits = {
            "airflow-migrate": ONE_SHOTS["airflow-migrate"],
            "airflow-api-server": self.airflow.api_server_memory,
            "airflow-scheduler": self.airflow.scheduler_memory,
            "airflow-dag-processor": self.airflow.dag_processor_memory,
        }
        if self.airflow.triggerer_enabled:
            limits["airflow-triggerer"] = self.airflow.triggerer_memory
        for name, section in self:
            service = name.replace("_", "-")
            if hasattr(section, "memory") and self.enabled(name):
                limits[service] = section.memory
                limits |= {step: size for step, size in ONE_SHOTS.items() if step == f"{service}-setup"}
        if self.enabled("jaeger"):
            limits["jaeger-retention"] = _RETENTION_MEMORY
        return limits


PUBLISHED = {
    "airflow": "airflow-api-server",
    "prometheus": "prometheus",
    "grafana": "grafana",
    "elasticsearch": "elasticsearch",
    "kibana": "kibana",
    "statsd_exporter": "statsd-exporter",
    "alertmanager": "alertmanager",
    "jaeger": "jaeger",
}
"""Sections with a port, in the order of the ports above ``port_base``, with the service's name."""

_RETENTION_MEMORY = 64 * MIB

COMPANIONS = {"elasticsearch_exporter": "elasticsearch", "log_exporter": "filebeat"}
"""Sections that have no switch of their own and run where another one does."""

ONE_SHOTS = {"airflow-migrate": GIB, "elasticsearch-setup": 128 * MIB, "kibana-setup": 128 * MIB}
"""Memory limits of steps that end before, or are small beside, the services that wait for them."""


def declared() -> Iterator[tuple[str, FieldInfo]]:
    """Every setting's dotted key with its field, in the model's order, sections last."""
    for name, field in Settings.model_fields.items():
        if name in ("project", "stack"):
            continue
        section = field.annotation
        if isinstance(section, type) and issubclass(section, Section):
            yield from ((f"{name}.{key}", inner) for key, inner in section.model_fields.items())
        else:
            yield name, field


def sections() -> dict[str, type[Section]]:
    """The sections by name."""
    found: dict[str, Any] = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {n: a for n, a in found.items() if isinstance(a, type) and issubclass(a, Section)}


def kind_of(field: FieldInfo) -> Kind:
    """The grammar of one setting's field."""
    kinds = [m.func for m in field.metadata if isinstance(m, BeforeValidator) and isinstance(m.func, Kind)]
    return kinds[0]
