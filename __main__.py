"""The observability platform of one stack: reads the settings, names the services, wires them, exports."""

import pulumi

from components.airflow import Airflow
from components.elasticsearch import Elasticsearch
from components.filebeat import Filebeat
from components.grafana import Grafana
from components.kibana import Kibana
from components.platform import create_platform
from components.postgres import Postgres
from components.prometheus import Prometheus
from components.secrets import Secrets
from components.service import gate_the_rest
from components.statsd_exporter import StatsdExporter
from configs.versions import versions
from settings import from_pulumi

settings = from_pulumi()
platform = create_platform(settings)
secrets = Secrets(protect=settings.protect_data)
urls = settings.endpoints()

StatsdExporter(platform, settings)
postgres = Postgres(platform, settings, secrets)
airflow = Airflow(platform, settings, secrets, postgres=postgres, public_url=urls["airflow"])
watched = [StatsdExporter.watch, airflow.watch, Prometheus.watch]

if settings.elasticsearch.enabled:
    elasticsearch = Elasticsearch(platform, settings, secrets)
    if settings.filebeat.enabled:
        shipped_after = [elasticsearch.setup, airflow.migrate]
        Filebeat(platform, settings, secrets, task_logs=airflow.task_logs, after=shipped_after)
    if settings.kibana.enabled:
        Kibana(platform, settings, secrets, after=elasticsearch.setup, public_url=urls["kibana"])

if settings.grafana.enabled:
    watched.append(Grafana.watch)
    Grafana(platform, settings, secrets, watched=watched, public_url=urls["grafana"])

Prometheus(platform, settings, watched=watched)
gate_the_rest(platform)

pulumi.export("endpoints", urls)
pulumi.export("credentials", pulumi.Output.secret(secrets.credentials(settings)))
pulumi.export("versions", versions(settings.image_set))
