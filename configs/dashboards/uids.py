"""The dashboards' identifiers, by which links find them."""

OVERVIEW = "overview"
AIRFLOW = "airflow"
PIPELINES = "ml-pipelines"
LOGS = "logs"
INFRASTRUCTURE = "infrastructure"
WATCHERS = "watchers"
