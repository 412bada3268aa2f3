"""The data sources that dashboards name; provisioning gives them these identifiers."""

from grafana_foundation_sdk.models.common import DataSourceRef

METRICS_UID = "prometheus"
LOGS_UID = "elasticsearch-logs"

METRICS = DataSourceRef(type_val="prometheus", uid=METRICS_UID)
LOGS = DataSourceRef(type_val="elasticsearch", uid=LOGS_UID)
