"""The observability platform of one stack: reads the settings, names the services, wires them, exports."""

import pulumi

from components.airflow import Airflow
from components.airflow_exporter import AirflowExporter
from components.alertmanager import Alertmanager
from components.blackbox_exporter import BlackboxExporter
from components.container_exporter import ContainerExporter
from components.elasticsearch import Elasticsearch
from components.elasticsearch_exporter import ElasticsearchExporter
from components.filebeat import Filebeat
from components.filebeat_containers import FilebeatContainers
from components.grafana import Grafana
from components.jaeger import Jaeger
from components.kibana import Kibana
from components.log_exporter import LogExporter
from components.node_exporter import NodeExporter
from components.platform import create_platform
from components.postgres import Postgres
from components.postgres_exporter import PostgresExporter
from components.prometheus import Prometheus
from components.secrets import Secrets
from components.service import gate_the_rest
from components.statsd_exporter import StatsdExporter
from configs.alertmanager import told
from configs.links import Links
from configs.versions import versions
from settings import from_pulumi, services_of

WATCHED = {
    "airflow": Airflow,
    "airflow_exporter": AirflowExporter,
    "alertmanager": Alertmanager,
    "blackbox_exporter": BlackboxExporter,
    "container_exporter": ContainerExporter,
    "elasticsearch": Elasticsearch,
    "elasticsearch_exporter": ElasticsearchExporter,
    "filebeat": Filebeat,
    "filebeat_containers": FilebeatContainers,
    "grafana": Grafana,
    "jaeger": Jaeger,
    "kibana": Kibana,
    "log_exporter": LogExporter,
    "node_exporter": NodeExporter,
    "postgres": Postgres,
    "postgres_exporter": PostgresExporter,
    "prometheus": Prometheus,
    "statsd_exporter": StatsdExporter,
}

settings = from_pulumi()
platform = create_platform(settings)
secrets = Secrets(protect=settings.protect_data)
urls = settings.endpoints()
links = Links.of(
    settings.stack,
    urls,
    runbooks=settings.alertmanager.runbooks_url or "docs/runbooks",
    task_logs=settings.enabled("filebeat"),
    container_logs=settings.enabled("filebeat_containers"),
)
watched = [WATCHED[section].watch(links) for section in services_of(settings)]

StatsdExporter(platform, settings)
postgres = Postgres(platform, settings, secrets)
airflow = Airflow(platform, settings, secrets, postgres=postgres, links=links)
AirflowExporter(platform, settings, secrets, after=airflow.migrate)
PostgresExporter(platform, settings, secrets, after=airflow.migrate)

if settings.enabled("elasticsearch"):
    elasticsearch = Elasticsearch(platform, settings, secrets)
    ElasticsearchExporter(platform, settings, secrets, after=elasticsearch.setup)
    if settings.enabled("filebeat"):
        shipped_after = [elasticsearch.setup, airflow.migrate]
        Filebeat(platform, settings, secrets, task_logs=airflow.task_logs, after=shipped_after)
        LogExporter(platform, settings, secrets, task_logs=airflow.task_logs, after=shipped_after)
    if settings.enabled("filebeat_containers"):
        FilebeatContainers(platform, settings, secrets, after=elasticsearch.setup)
    if settings.enabled("jaeger"):
        Jaeger(platform, settings, secrets, after=elasticsearch.setup)
    if settings.enabled("kibana"):
        Kibana(platform, settings, secrets, after=elasticsearch.setup, public_url=urls["kibana"])

if settings.enabled("node_exporter"):
    NodeExporter(platform, settings)
if settings.enabled("container_exporter"):
    ContainerExporter(platform, settings)
BlackboxExporter(platform, settings, watched=watched)

Prometheus(platform, settings, watched=watched, links=links)
Alertmanager(platform, settings, secrets, watched=watched, links=links)
if settings.enabled("grafana"):
    Grafana(platform, settings, secrets, watched=watched, public_url=urls["grafana"])
gate_the_rest(platform)

pulumi.export("endpoints", urls)
pulumi.export("credentials", pulumi.Output.secret(secrets.credentials(settings)))
pulumi.export(
    "told",
    told(
        receivers=secrets.receivers,
        email_to=settings.alertmanager.email_to,
        slack_channel=settings.alertmanager.slack_channel,
    ),
)
pulumi.export("versions", versions(settings.image_set))
