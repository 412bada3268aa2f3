"""What Kibana is told: its configuration, and the plan of the step that gives it data view and searches."""

import hashlib
import json
from typing import Any

import yaml

from configs.elasticsearch import SUPERUSER, URL
from configs.secret_files import secret_path
from configs.steps import request
from configs.task_logs import data_stream
from units import mebibytes

PORT = 5601
DATA_VIEW = "airflow-task-logs"

_XSRF = {"kbn-xsrf": "set-up"}
_KEYS = {
    "sessions": "xpack.security.encryptionKey",
    "saved objects": "xpack.encryptedSavedObjects.encryptionKey",
    "reports": "xpack.reporting.encryptionKey",
}

PROBE = ["curl", "-sf", "-o", "/dev/null", f"http://localhost:{PORT}/api/status"]


def command(config: str, secret: str) -> list[str]:
    """Kibana's start script and its arguments: the second file is merged over the first."""
    return ["/usr/local/bin/kibana-docker", "-c", config, "-c", secret]


def environment(*, memory_bytes: int) -> dict[str, str]:
    """The container's environment; half of its memory for the JavaScript heap, the rest for all else."""
    return {"NODE_OPTIONS": f"--max-old-space-size={mebibytes(memory_bytes) // 2}"}


def render(*, public_url: str) -> str:
    """The text of kibana.yml; ``public_url`` is where users' browsers reach it."""
    config = {
        "server.name": "kibana",
        "server.host": "0.0.0.0",
        "server.port": PORT,
        "server.publicBaseUrl": public_url.rstrip("/"),
        "elasticsearch.hosts": [URL],
        "elasticsearch.username": "kibana_system",
        # Nothing of this stack calls out, least of all by default.
        "telemetry.optIn": False,
        "newsfeed.enabled": False,
        "map.includeElasticMapsService": False,
    }
    return yaml.safe_dump(config, sort_keys=True)


def render_secret(*, kibana_system_password: str, encryption_key: str) -> str:
    """The part of the configuration that is secret.

    Without keys of its own Kibana makes some at each start, and can no longer read what it stored.
    """
    keys = {
        setting: hashlib.sha256(f"{purpose}:{encryption_key}".encode()).hexdigest()
        for purpose, setting in _KEYS.items()
    }
    return json.dumps({"elasticsearch.password": kibana_system_password} | keys, sort_keys=True) + "\n"


def setup_plan(*, stack: str) -> dict[str, Any]:
    """The set-up step's plan: the data view of the task logs and the searches on it; safe to repeat."""
    data_view = {
        "id": DATA_VIEW,
        "title": data_stream(stack),
        "name": "Airflow task logs",
        "timeFieldName": "@timestamp",
    }
    return {
        "service": "Kibana",
        "base_url": f"http://kibana:{PORT}",
        "username": SUPERUSER,
        "password_file": secret_path("elastic_password"),
        "ready": {"path": "/api/status", "seconds": 120},
        "requests": [
            request(
                "data view",
                "POST",
                "/api/data_views/data_view",
                {"override": True, "data_view": data_view},
                headers=_XSRF,
            ),
            request(
                "saved searches",
                "POST",
                "/api/saved_objects/_import?overwrite=true",
                headers=_XSRF,
                file={"name": "saved-objects.ndjson", "lines": saved_objects()},
            ),
        ],
    }


def saved_objects() -> list[dict[str, Any]]:
    """Saved searches on the data view, with ids that stay the same so that an import replaces them."""
    return [
        _search("airflow-task-logs-all", "Airflow task logs", ""),
        _search("airflow-task-logs-errors", "Airflow task errors", "log.level: (error or critical)"),
    ]


def _search(identifier: str, title: str, query: str) -> dict[str, Any]:
    reference = "kibanaSavedObjectMeta.searchSourceJSON.index"
    source = {"query": {"query": query, "language": "kuery"}, "filter": [], "indexRefName": reference}
    return {
        "id": identifier,
        "type": "search",
        "attributes": {
            "title": title,
            "description": "",
            "columns": ["log.level", "airflow.dag_id", "airflow.task_id", "airflow.try_number", "message"],
            "sort": [["@timestamp", "desc"]],
            "kibanaSavedObjectMeta": {"searchSourceJSON": json.dumps(source, sort_keys=True)},
        },
        "references": [{"id": DATA_VIEW, "name": reference, "type": "index-pattern"}],
    }
