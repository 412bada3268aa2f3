"""What Jaeger is told: which spans it takes, where it keeps them; and the cleaner that deletes old ones."""

import json
from collections.abc import Mapping
from pathlib import Path

import yaml

from configs.elasticsearch import JAEGER, URL

OTLP_PORT = 4318
QUERY_PORT = 16686
METRICS_PORT = 8888
USELESS_METRICS = ("jaeger_storage_.*_bucket", "otelcol_exporter_queue_batch_send_size_bucket")
"""Bounds of histograms that are made for milliseconds, while Jaeger counts seconds: all is in one bucket."""

_HEALTH_PORT = 13133
_DAY = 86400
_STORE = "elasticsearch"
_RETENTION = "/opt/jaeger/retention.py"
_CLEANED = "/tmp/cleaned"
# The cleaner looks every hour; a pass that fails is repeated every minute.
_STALE_MINUTES = 125

PROBE = ("wget", "-q", "-O", "/dev/null", f"http://localhost:{_HEALTH_PORT}/status")

RETENTION_PROBE = ("sh", "-c", f'test -n "$(find {_CLEANED} -mmin -{_STALE_MINUTES})"')
"""Healthy while the cleaner's latest success is not older than two hours."""


def index_prefix(stack: str) -> str:
    """What the names of a stack's indices begin with: ``jaeger-dev-jaeger-span-2026-01-31``."""
    return f"jaeger-{stack}"


def environment(*, memory_bytes: int) -> dict[str, str]:
    """The container's environment: the limit tells Go's collector when to work harder instead of growing."""
    return {"GOMEMLIMIT": f"{memory_bytes * 8 // 10 // 1024}KiB"}


def render(*, stack: str, password_file: str, memory_bytes: int, retention_seconds: int, ui_file: str) -> str:
    """The text of Jaeger's configuration.

    Args:
        stack: part of the indices' names.
        password_file: holds the password of Elasticsearch's user ``jaeger``.
        memory_bytes: the container's limit; spans that wait for the store take a part of it.
        retention_seconds: how far back a trace is looked for by its id.
        ui_file: what :func:`render_ui` makes.
    """
    config = {
        "service": {
            "extensions": ["jaeger_storage", "jaeger_query", "healthcheckv2"],
            "pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["jaeger_storage_exporter"]}},
            "telemetry": _telemetry(),
        },
        "extensions": {
            "healthcheckv2": {"use_v2": True, "http": {"endpoint": f"0.0.0.0:{_HEALTH_PORT}"}},
            "jaeger_storage": {
                "backends": {_STORE: {"elasticsearch": _store(stack, password_file, retention_seconds)}}
            },
            "jaeger_query": {
                "storage": {"traces": _STORE},
                "http": {"endpoint": f"0.0.0.0:{QUERY_PORT}"},
                # Nobody asks by gRPC, and it cannot be switched off.
                "grpc": {"endpoint": "localhost:16685"},
                # It would fill the store with traces of whoever looks at traces.
                "enable_tracing": False,
                "ui": {"config_file": ui_file},
            },
        },
        "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"0.0.0.0:{OTLP_PORT}"}}}},
        "exporters": {
            "jaeger_storage_exporter": {"trace_storage": _STORE, "queue": _queue(memory_bytes)},
        },
    }
    return yaml.safe_dump(config, sort_keys=True)


def render_ui(*, airflow: str) -> str:
    """The web interface's configuration: a span's tags lead to its run and its task in Airflow.

    Args:
        airflow: address of Airflow's web interface, as browsers reach it.
    """
    run = f"{airflow}/dags/#{{airflow.dag_id}}/runs/#{{airflow.dag_run.run_id}}"
    links = [
        {"key": "airflow.dag_id", "url": f"{airflow}/dags/#{{airflow.dag_id}}", "text": "DAG in Airflow"},
        {"key": "airflow.dag_run.run_id", "url": run, "text": "run in Airflow"},
        {"key": "airflow.task_id", "url": f"{run}/tasks/#{{airflow.task_id}}", "text": "task in Airflow"},
    ]
    # No dependencies are computed and no span metrics are stored: these pages would stay empty.
    config = {
        "dependencies": {"menuEnabled": False},
        "monitor": {"menuEnabled": False},
        "linkPatterns": [{"type": "tags", **link} for link in links],
    }
    return json.dumps(config, indent=2, sort_keys=True) + "\n"


def retention_command(*, stack: str, password_file: str, retention_seconds: int) -> list[str]:
    """The cleaner's argument vector; it needs :func:`retention_files` and Python's standard library."""
    return [
        *("python3", _RETENTION),
        *("--url", URL),
        *("--user", JAEGER),
        *("--password-file", password_file),
        *("--prefix", index_prefix(stack)),
        *("--keep-days", str(retention_seconds // _DAY)),
        *("--done", _CLEANED),
    ]


def retention_files() -> Mapping[str, str]:
    """The files that the cleaner's container is given: path -> text."""
    return {_RETENTION: (Path(__file__).with_suffix("") / Path(_RETENTION).name).read_text()}


def _telemetry() -> dict[str, object]:
    page = {"host": "0.0.0.0", "port": METRICS_PORT, "without_scope_info": True}
    return {
        "resource": {"service.name": "jaeger"},
        "metrics": {"level": "normal", "readers": [{"pull": {"exporter": {"prometheus": page}}}]},
        "logs": {"level": "info", "disable_stacktrace": True},
    }


def _store(stack: str, password_file: str, retention_seconds: int) -> dict[str, object]:
    # A lone node has no place for a copy.
    kinds = ("spans", "services")
    index = {"shards": 1, "replicas": 0, "date_layout": "2006-01-02", "rollover_frequency": "day"}
    return {
        "server_urls": [URL],
        "auth": {"basic": {"username": JAEGER, "password_file": password_file}},
        "indices": {"index_prefix": index_prefix(stack)} | {kind: dict(index) for kind in kinds},
        # Spans are searchable after this and the index's refresh, which is one second.
        "bulk_processing": {"flush_interval": "200ms"},
        # An index is deleted as a whole, when its last span is past its age.
        "max_span_age": f"{retention_seconds + _DAY}s",
        # Without a limit a store that hangs keeps every question and every write waiting.
        "query_timeout": "15s",
        # Same host: bytes cost less than processor time.
        "http_compression": False,
    }


def _queue(memory_bytes: int) -> dict[str, object]:
    # The receiver answers once a span is in this queue, and refuses when it is full, so that no task waits
    # for the store. A waiting span takes about ten times its bytes on the wire.
    return {"enabled": True, "num_consumers": 2, "sizer": "bytes", "queue_size": memory_bytes // 32}
