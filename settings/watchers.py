"""Settings of what measures, traces and alerts."""

from typing import Annotated

from pydantic import BeforeValidator

import units
from settings.types import DAY, Enabled, Memory, Port, Section
from units import MIB


class Alertmanager(Section):
    """Tells people about alerts. Receivers whose address is a secret are set in the group secrets."""

    port: Port = 9093
    """Published port of the web interface and API."""
    memory: Memory = 96 * MIB
    """Memory limit."""
    email_to: Annotated[str, BeforeValidator(units.email_addresses())] = ""
    """Who gets alerts by mail: addresses separated by commas. Empty for nobody; needs smtp_host."""
    email_from: Annotated[str, BeforeValidator(units.email_address())] = ""
    """Sender of mails; empty for the first of email_to."""
    smtp_host: Annotated[str, BeforeValidator(units.host_and_port())] = ""
    """Mail server that takes the mails, with its port."""
    smtp_username: Annotated[str, BeforeValidator(units.optional_text())] = ""
    """Login at the mail server, with secrets.smtp_password; empty for none."""
    smtp_require_tls: Enabled = True
    """Whether mails are sent over TLS only. A login needs it."""
    slack_channel: Annotated[str, BeforeValidator(units.optional_text())] = ""
    """Channel of secrets.slack_webhook_url; empty for the one that the webhook was made for."""
    repeat_interval: Annotated[int, BeforeValidator(units.duration(60, 30 * DAY))] = 4 * 3600
    """After which time somebody is told again of an alert that still fires."""
    runbooks_url: Annotated[str, BeforeValidator(units.web_address())] = ""
    """Where the pages of docs/runbooks are read; alerts lead there. Empty for the path in the repository."""


class Exporter(Section):
    """Measures for Prometheus."""

    memory: Memory = 64 * MIB
    """Memory limit."""


class NodeExporter(Exporter):
    """Measures the Docker host: processors, memory, disks."""

    enabled: Enabled = True
    """Whether the host is watched. Its root directory is mounted read-only for that."""


class ContainerExporter(Exporter):
    """Measures the stack's containers: processor, memory, restarts, absence."""

    enabled: Enabled = True
    """Whether containers are watched. It reads the engine's directory and the control groups as root, without
    any capability."""
    memory: Memory = 96 * MIB
    """Memory limit."""


class AirflowExporter(Exporter):
    """Asks Airflow's database, read-only, how the latest run of each DAG ended."""

    memory: Memory = 96 * MIB
    """Memory limit."""


class PostgresExporter(Exporter):
    """Measures Airflow's database."""


class ElasticsearchExporter(Exporter):
    """Measures the log store. Runs where elasticsearch does."""


class BlackboxExporter(Exporter):
    """Asks the pages of the other services whether they answer."""


class LogExporter(Exporter):
    """Follows a log line from the disk to the log store every half minute. Runs where filebeat does."""

    memory: Memory = 96 * MIB
    """Memory limit."""


class Jaeger(Section):
    """Shows traces of DAG runs, which it keeps in Elasticsearch."""

    enabled: Enabled = True
    """Whether DAG runs are traced."""
    port: Port = 16686
    """Published port of the web interface and query API."""
    memory: Memory = 256 * MIB
    """Memory limit."""
    sample_percent: Annotated[int, BeforeValidator(units.whole_number(1, 100))] = 100
    """How many of a hundred DAG runs are traced."""
    retention: Annotated[int, BeforeValidator(units.duration(DAY, 60 * DAY))] = 7 * DAY
    """Age at which traces are deleted, in whole days."""
