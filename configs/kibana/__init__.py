"""What Kibana is told: its configuration, and the plan of the step that gives it data views and objects."""

import hashlib
import json
from typing import Any

import yaml

from configs import container_logs, data_views, dead_letters, task_logs
from configs.elasticsearch import SUPERUSER, URL
from configs.kibana.dashboard import dashboard
from configs.kibana.searches import searches
from configs.secret_files import secret_path
from configs.steps import request
from units import mebibytes

PORT = 5601

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
    """The set-up step's plan: a data view of each stream, searches on them, a dashboard; safe to repeat."""
    return {
        "service": "Kibana",
        "base_url": f"http://kibana:{PORT}",
        "username": SUPERUSER,
        "password_file": secret_path("elastic_password"),
        "ready": {"path": "/api/status", "seconds": 120},
        "requests": [
            *(
                request(
                    f"data view {view['name']}",
                    "POST",
                    "/api/data_views/data_view",
                    {"override": True, "data_view": view},
                    headers=_XSRF,
                )
                for view in views(stack)
            ),
            request(
                "saved searches and dashboard",
                "POST",
                "/api/saved_objects/_import?overwrite=true",
                headers=_XSRF,
                file={"name": "saved-objects.ndjson", "lines": saved_objects()},
            ),
        ],
    }


def views(stack: str) -> list[dict[str, Any]]:
    """The data views: one for each data stream, with ids that stay the same."""
    streams = {
        data_views.TASK_LOGS: (task_logs.data_stream(stack), "Airflow task logs"),
        data_views.CONTAINER_LOGS: (container_logs.data_stream(stack), "Container logs"),
        data_views.DEAD_LETTERS: (dead_letters.data_stream(stack), "Dead letters"),
    }
    return [
        {"id": identifier, "title": stream, "name": name, "timeFieldName": "@timestamp"}
        for identifier, (stream, name) in streams.items()
    ]


def saved_objects() -> list[dict[str, Any]]:
    """Saved searches and the dashboard, with ids that stay the same so that an import replaces them."""
    return [*searches(), dashboard()]
