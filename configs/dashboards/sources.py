"""The data sources that dashboards name; provisioning gives them these identifiers."""

from grafana_foundation_sdk.models.common import DataSourceRef

METRICS_UID = "prometheus"
LOGS_UID = "elasticsearch-logs"
CONTAINER_LOGS_UID = "elasticsearch-container-logs"
TRACES_UID = "jaeger"
ALERTS_UID = "alertmanager"

METRICS = DataSourceRef(type_val="prometheus", uid=METRICS_UID)
LOGS = DataSourceRef(type_val="elasticsearch", uid=LOGS_UID)
CONTAINER_LOGS = DataSourceRef(type_val="elasticsearch", uid=CONTAINER_LOGS_UID)
