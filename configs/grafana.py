"""Grafana's settings and provisioning: data sources over the stack's metrics and logs, and its dashboards.

Settings are environment variables, which both image sets' entrypoints read; secrets reach them by file.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from configs import container_logs
from configs.dashboards.sources import ALERTS_UID, CONTAINER_LOGS_UID, LOGS_UID, METRICS_UID, TRACES_UID
from configs.elasticsearch import LOG_READER
from configs.elasticsearch import URL as ELASTICSEARCH_URL
from configs.task_logs import data_stream

PORT = 3000
PROBE = ["wget", "-q", "-O", "/dev/null", f"http://127.0.0.1:{PORT}/api/health"]

_PROVISIONING = "/etc/grafana/provisioning"
_DASHBOARDS = "/etc/grafana/dashboards"


def environment(
    *,
    admin_username: str,
    admin_password_file: str,
    public_url: str,
    secret_key_file: str,
) -> dict[str, str]:
    """Return the server's environment variables.

    Args:
        admin_username: name of the first administrator.
        admin_password_file: path of the file with that user's password.
        public_url: address under which users open Grafana; links in messages start with it.
        secret_key_file: path of the key that encrypts the data sources' passwords in Grafana's database.
    """
    settings = {
        "SECURITY_ADMIN_USER": admin_username,
        "SECURITY_ADMIN_PASSWORD__FILE": admin_password_file,
        "SECURITY_DISABLE_GRAVATAR": "true",
        "SECURITY_SECRET_KEY__FILE": secret_key_file,
        "SERVER_HTTP_PORT": str(PORT),
        "SERVER_ROOT_URL": public_url,
        "USERS_ALLOW_SIGN_UP": "false",
        "USERS_DEFAULT_THEME": "system",
        # Nothing leaves the network: no usage reports, update checks, news, plugin downloads or snapshots.
        "ANALYTICS_REPORTING_ENABLED": "false",
        "ANALYTICS_CHECK_FOR_UPDATES": "false",
        "ANALYTICS_CHECK_FOR_PLUGIN_UPDATES": "false",
        "NEWS_NEWS_FEED_ENABLED": "false",
        # An update of a bundled data source unloads it first, and then cannot write the plugin's folder.
        "PLUGINS_PREINSTALL_DISABLED": "true",
        "PLUGINS_PREINSTALL_AUTO_UPDATE": "false",
        "SNAPSHOTS_EXTERNAL_ENABLED": "false",
    }
    return {f"GF_{name}": value for name, value in settings.items()}


def files(
    *,
    stack: str,
    scrape_interval: int,
    log_reader_password_file: str,
    dashboards: Mapping[str, str],
    logs: bool,
    traces: bool,
) -> dict[str, str]:
    """Return the provisioning files: path in the container -> text.

    Args:
        stack: the stack, whose task logs are read.
        scrape_interval: seconds between samples, below which no graph may be resolved.
        log_reader_password_file: path of the password of the user that reads the log store.
        dashboards: file name -> dashboard in classic JSON.
        logs: whether there is a log store.
        traces: whether there is a store of traces.
    """
    sources = [_metrics(scrape_interval), _alerts()]
    if logs:
        sources += [
            _logs("Task logs", LOGS_UID, data_stream(stack), log_reader_password_file),
            _logs(
                "Service logs",
                CONTAINER_LOGS_UID,
                container_logs.data_stream(stack),
                log_reader_password_file,
            ),
        ]
    if traces:
        sources.append(_traces(logs=logs))
    return {
        f"{_PROVISIONING}/datasources/stack.yaml": _provision({"datasources": sources, "prune": True}),
        f"{_PROVISIONING}/dashboards/stack.yaml": _provision({"providers": [_provider()]}),
        **{f"{_DASHBOARDS}/{name}": text for name, text in sorted(dashboards.items())},
    }


def _provision(content: Mapping[str, Any]) -> str:
    return yaml.safe_dump({"apiVersion": 1, **content}, sort_keys=False)


def _metrics(scrape_interval: int) -> dict[str, Any]:
    return {
        "name": "Prometheus",
        "uid": METRICS_UID,
        "type": "prometheus",
        "access": "proxy",
        "url": "http://prometheus:9090",
        "isDefault": True,
        "editable": False,
        "jsonData": {"httpMethod": "POST", "timeInterval": f"{scrape_interval}s", "manageAlerts": False},
    }


def _alerts() -> dict[str, Any]:
    return {
        "name": "Alertmanager",
        "uid": ALERTS_UID,
        "type": "alertmanager",
        "access": "proxy",
        "url": "http://alertmanager:9093",
        "editable": False,
        "jsonData": {"implementation": "prometheus", "handleGrafanaManagedAlerts": False},
    }


def _traces(*, logs: bool) -> dict[str, Any]:
    """Jaeger; from a span to the log lines of its task, which carry no trace id."""
    tags = ("dag_id", "task_id", "task_instance.try_number", "dag_run.run_id")
    names = {tag: tag.rpartition(".")[2] for tag in tags}
    query = " AND ".join(f'airflow.{name}:"${{__span.tags["airflow.{tag}"]}}"' for tag, name in names.items())
    to_logs = {"datasourceUid": LOGS_UID, "customQuery": True, "query": query, "spanEndTimeShift": "1m"}
    return {
        "name": "Traces",
        "uid": TRACES_UID,
        "type": "jaeger",
        "access": "proxy",
        "url": "http://jaeger:16686",
        "editable": False,
        "jsonData": {"tracesToLogsV2": to_logs} if logs else {},
    }


def _logs(name: str, uid: str, index: str, password_file: str) -> dict[str, Any]:
    return {
        "name": name,
        "uid": uid,
        "type": "elasticsearch",
        "access": "proxy",
        "url": ELASTICSEARCH_URL,
        "editable": False,
        "basicAuth": True,
        "basicAuthUser": LOG_READER,
        "secureJsonData": {"basicAuthPassword": f"$__file{{{password_file}}}"},
        "jsonData": {
            "index": index,
            "timeField": "@timestamp",
            "logMessageField": "message",
            "logLevelField": "log.level",
            "maxConcurrentShardRequests": 5,
        },
    }


def _provider() -> dict[str, Any]:
    return {
        "name": "stack",
        "type": "file",
        "folder": "MLOps",
        "allowUiUpdates": False,
        "disableDeletion": False,
        "options": {"path": _DASHBOARDS},
    }
