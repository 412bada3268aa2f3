"""Settings of what runs the pipelines and of the stores and pages that people use."""

from typing import Annotated

from pydantic import BeforeValidator

import units
from settings.types import DAY, AirflowMemory, Enabled, Memory, Path, Port, Retention, Section, UserName
from units import GIB, MIB, TIB


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
    """Folder of Airflow plugins, mounted read-only; read when a service starts. A folder of your own needs a
    copy of task_resources.py, or nothing says what tasks consume."""
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
    scrape_interval: Annotated[int, BeforeValidator(units.duration(1, 30))] = 5
    """How often every target is read: how old a shown value may be. Half of it doubles the stored samples;
    alerts that look at the last minute need at least two."""
    retention_time: Retention = 15 * DAY
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
    """Whether logs are stored and searched. Without it, switch kibana, filebeat, filebeat_containers and
    jaeger off too."""
    port: Port = 9200
    """Published port of the REST API."""
    memory: Annotated[int, BeforeValidator(units.size(512 * MIB, TIB))] = 1280 * MIB
    """Memory limit: the heap, the JVM's own memory and the file cache."""
    heap: Annotated[int, BeforeValidator(units.size(128 * MIB, 31 * GIB))] = 512 * MIB
    """Java heap, at most half of elasticsearch.memory."""
    log_retention: Retention = 30 * DAY
    """Age at which task logs are deleted from the log store."""
    container_log_retention: Retention = 7 * DAY
    """Age at which the services' own logs are deleted from the log store."""
    dead_letter_retention: Retention = 30 * DAY
    """Age at which documents are deleted that the log store had refused."""


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


class FilebeatContainers(Section):
    """Ships the services' own logs."""

    enabled: Enabled = True
    """Whether the services' own logs are shipped to Elasticsearch. It reads the engine's log files as root,
    without any capability."""
    memory: Memory = 160 * MIB
    """Memory limit."""
