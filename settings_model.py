"""Every setting of the platform: its type, its default and what follows from it.

The model is frozen and strict, knows neither Pulumi nor Docker, and is the only place where a setting is
declared: ``Pulumi.yaml`` and ``docs/settings.md`` are generated from it (``docs/settings_reference.py``), and
``settings.py`` reads a stack's configuration into it. Sizes are bytes, durations are seconds.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo

import units
from units import GIB, MIB, TIB, Kind

_DAY = 86400

Enabled = Annotated[bool, BeforeValidator(units.switch())]
Port = Annotated[int, BeforeValidator(units.whole_number(1024, 65535, name="port"))]
Memory = Annotated[int, BeforeValidator(units.size(32 * MIB, TIB))]
AirflowMemory = Annotated[int, BeforeValidator(units.size(256 * MIB, TIB))]
UserName = Annotated[str, BeforeValidator(units.user_name())]
Path = Annotated[str, BeforeValidator(units.path())]
Retention = Annotated[int, BeforeValidator(units.duration(3600, 3650 * _DAY))]
Password = Annotated[SecretStr | None, BeforeValidator(units.password())]
EncryptionKey = Annotated[SecretStr | None, BeforeValidator(units.password(32))]


class Section(BaseModel):
    """A group of settings; unknown names and values of another type are refused."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, use_attribute_docstrings=True
    )


class Airflow(Section):
    """Runs the pipelines."""

    port: Port = 8080
    """Published port of the web interface and REST API."""
    api_server_memory: AirflowMemory = GIB
    """Memory limit of the API server, which also serves the web interface and the tasks' own calls."""
    scheduler_memory: AirflowMemory = 1536 * MIB
    """Memory limit of the scheduler. LocalExecutor runs the tasks inside it: it must hold airflow.parallelism
    tasks at once."""
    dag_processor_memory: AirflowMemory = 768 * MIB
    """Memory limit of the DAG processor. Heavy imports at the top of a DAG file count here."""
    triggerer_memory: AirflowMemory = 512 * MIB
    """Memory limit of the triggerer."""
    triggerer_enabled: Enabled = True
    """Whether deferrable operators can wait outside a task slot. Without it they wait for ever."""
    parallelism: Annotated[int, BeforeValidator(units.whole_number(1, 256))] = 4
    """Tasks that run at once. Each keeps a process of up to 120 MiB in the scheduler, idle or not."""
    api_workers: Annotated[int, BeforeValidator(units.whole_number(1, 16))] = 1
    """Processes of the API server. Each further one takes about 150 MiB of its memory."""
    dags_path: Path = "pipelines/dags"
    """Folder of the DAG files, mounted read-only; edits take effect without a new deployment."""
    plugins_path: Path = "pipelines/plugins"
    """Folder of Airflow plugins, mounted read-only; read when a service starts."""
    admin_username: UserName = "admin"
    """Login name of Airflow's administrator; secrets.airflow_admin_password is the password."""
    dag_refresh_interval: Annotated[int, BeforeValidator(units.duration(1, 3600))] = 10
    """How often the DAG folder is looked through: a new file can be scheduled after about twice this time."""
    dags_paused_at_creation: Enabled = False
    """Whether a new DAG waits until somebody switches it on."""
    log_level: Annotated[
        str, BeforeValidator(units.choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"))
    ] = "INFO"
    """Least severe line that services and tasks log. DEBUG multiplies the volume of logs."""


class Postgres(Section):
    """Keeps Airflow's metadata."""

    memory: Annotated[int, BeforeValidator(units.size(192 * MIB, TIB))] = 384 * MIB
    """Memory limit; the database's own buffers must fit in."""


class StatsdExporter(Section):
    """Turns Airflow's StatsD packets into metrics."""

    port: Port = 9102
    """Published port of the metrics page."""
    memory: Memory = 96 * MIB
    """Memory limit. Grows with the number of DAGs and tasks."""


class Prometheus(Section):
    """Stores metrics."""

    port: Port = 9090
    """Published port of the web interface and API."""
    memory: Memory = 768 * MIB
    """Memory limit. Grows with the number of time series."""
    scrape_interval: Annotated[int, BeforeValidator(units.duration(1, 300))] = 5
    """How often every target is read: how old a shown value may be. Half of it doubles the stored samples."""
    retention_time: Retention = 15 * _DAY
    """Age at which samples are deleted."""
    retention_size: Annotated[int, BeforeValidator(units.size(256 * MIB, 16 * TIB))] = 4 * GIB
    """Disk space of stored samples, above which the oldest are deleted before their age."""


class Grafana(Section):
    """Shows dashboards."""

    enabled: Enabled = True
    """Whether Grafana runs."""
    port: Port = 3000
    """Published port of the web interface."""
    memory: Annotated[int, BeforeValidator(units.size(256 * MIB, TIB))] = 768 * MIB
    """Memory limit. The official image runs each kind of data source as a process of its own."""
    admin_username: UserName = "admin"
    """Login name of the administrator; secrets.grafana_admin_password is the password."""


class Elasticsearch(Section):
    """Stores logs."""

    enabled: Enabled = True
    """Whether logs are stored and searched. Without it, switch kibana and filebeat off too."""
    port: Port = 9200
    """Published port of the REST API."""
    memory: Annotated[int, BeforeValidator(units.size(512 * MIB, TIB))] = 1280 * MIB
    """Memory limit: the heap, the JVM's own memory and the file cache."""
    heap: Annotated[int, BeforeValidator(units.size(128 * MIB, 31 * GIB))] = 512 * MIB
    """Java heap, at most half of elasticsearch.memory."""
    log_retention: Retention = 30 * _DAY
    """Age at which task logs are deleted from the log store."""


class Kibana(Section):
    """Explores logs."""

    enabled: Enabled = True
    """Whether Kibana runs. The image set "packages" has no Kibana: say false there, or give kibana.image."""
    port: Port = 5601
    """Published port of the web interface."""
    memory: Annotated[int, BeforeValidator(units.size(768 * MIB, TIB))] = GIB
    """Memory limit; half of it is the JavaScript heap."""
    image: Annotated[str, BeforeValidator(units.image_name())] = ""
    """Image to run instead of the image set's; empty for the set's."""


class Filebeat(Section):
    """Ships logs."""

    enabled: Enabled = True
    """Whether task logs are shipped to Elasticsearch."""
    memory: Memory = 192 * MIB
    """Memory limit."""


class Secrets(Section):
    """Secrets given by hand, with ``pulumi config set --secret``; each is generated when it is not given."""

    airflow_admin_password: Password = None
    """Password of Airflow's administrator."""
    airflow_fernet_key: Annotated[SecretStr | None, BeforeValidator(units.fernet_key())] = None
    """Key with which Airflow encrypts connections and variables. A change makes stored ones unreadable."""
    airflow_api_secret_key: EncryptionKey = None
    """Key with which Airflow signs sessions. A change logs everybody out."""
    airflow_jwt_secret: EncryptionKey = None
    """Key with which Airflow signs API tokens. A change makes issued tokens void."""
    postgres_password: Password = None
    """Password of Airflow's database user. It counts when the database is made; later, change it in
    Postgres too (`ALTER ROLE airflow PASSWORD`), before the next `up`."""
    grafana_admin_password: Password = None
    """Password of Grafana's administrator. It counts at Grafana's first start; later, change it in
    Grafana too (`grafana cli admin reset-admin-password`)."""
    grafana_secret_key: EncryptionKey = None
    """Key with which Grafana encrypts its data sources' passwords. Another makes stored ones unreadable."""
    elastic_password: Password = None
    """Password of Elasticsearch's superuser: only the set-up steps use it."""
    kibana_system_password: Password = None
    """Password with which Kibana reads Elasticsearch."""
    kibana_encryption_key: EncryptionKey = None
    """Key with which Kibana encrypts sessions and saved objects. A change makes stored ones unreadable."""
    kibana_user_password: Password = None
    """Password of the user `kibana_user`, with whom people log in to Kibana."""
    log_reader_password: Password = None
    """Password of the user that may read logs (Grafana, Airflow)."""
    log_writer_password: Password = None
    """Password of the user that may only append logs (Filebeat)."""


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
    secrets: Secrets = Field(default=Secrets(), repr=False)

    def enabled(self, section: str) -> bool:
        """Whether the service of a section runs."""
        return bool(getattr(getattr(self, section), "enabled", True))

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
        return limits


PUBLISHED = {
    "airflow": "airflow-api-server",
    "prometheus": "prometheus",
    "grafana": "grafana",
    "elasticsearch": "elasticsearch",
    "kibana": "kibana",
    "statsd_exporter": "statsd-exporter",
}
"""Sections with a port, in the order of the ports above ``port_base``, with the service's name."""

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
