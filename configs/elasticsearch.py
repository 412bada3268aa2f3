"""What the Elasticsearch node is told: its start, its settings, and the plan of its set-up step."""

from collections.abc import Sequence
from typing import Any

from configs import container_logs, dead_letters, task_logs
from configs.data_streams import LogRetention
from configs.secret_files import secret_path
from configs.steps import request, secret
from units import mebibytes

URL = "http://elasticsearch:9200"
SUPERUSER = "elastic"
LOG_READER = "log_reader"
LOG_WRITER = "filebeat_writer"
KIBANA_USER = "kibana_user"
MONITOR = "elastic_monitor"
JAEGER = "jaeger"

SECRETS = (
    "elastic_password",
    "elastic_monitor_password",
    "jaeger_password",
    "kibana_system_password",
    "kibana_user_password",
    "log_reader_password",
    "log_writer_password",
)
"""Names of the secret files that the set-up step reads."""

# The image accepts a password file of mode 0400 or 0600 only; ours is readable for a group.
_PRIVATE_PASSWORD = "/dev/shm/elastic_password"

ENTRYPOINT = ["/bin/bash", "-c"]
COMMAND = [
    f'install -m 0400 "$ELASTIC_PASSWORD_FILE" {_PRIVATE_PASSWORD}'
    f" && export ELASTIC_PASSWORD_FILE={_PRIVATE_PASSWORD}"
    " && exec /usr/local/bin/docker-entrypoint.sh eswrapper"
]


def environment(*, stack: str, heap_bytes: int, password_file: str) -> dict[str, str]:
    """The container's environment; the image takes dotted names for settings.

    Args:
        stack: names the cluster.
        heap_bytes: Java heap, all of it taken at the start.
        password_file: holds the ``elastic`` user's password.
    """
    heap = mebibytes(heap_bytes)
    return {
        "ELASTIC_PASSWORD_FILE": password_file,
        # Without the logging flags the JVM keeps up to 2 GiB of garbage collector logs inside the container.
        "ES_JAVA_OPTS": f"-Xms{heap}m -Xmx{heap}m -Xlog:disable -Xlog:all=warning:stderr:utctime,level,tags",
        "cluster.name": f"mlops-{stack}",
        "node.name": "elasticsearch",
        "network.host": "0.0.0.0",
        "discovery.type": "single-node",
        # Mapped index files would need vm.max_map_count >= 262144 on the host, which few hosts have.
        "node.store.allow_mmap": "false",
        "xpack.license.self_generated.type": "basic",
        "xpack.ml.enabled": "false",
        "xpack.security.enabled": "true",
        "xpack.security.http.ssl.enabled": "false",
        "xpack.security.transport.ssl.enabled": "false",
        # Free space, not percent: a lone node has nowhere to move shards to, so only a full disk matters.
        "cluster.routing.allocation.disk.watermark.low": "4gb",
        "cluster.routing.allocation.disk.watermark.high": "3gb",
        "cluster.routing.allocation.disk.watermark.flood_stage": "1gb",
        "cluster.routing.allocation.disk.watermark.flood_stage.frozen": "1gb",
    }


def setup_plan(*, stack: str, retention: LogRetention, data_stream_api: bool) -> dict[str, Any]:
    """The set-up step's plan: users and roles, and the data streams with their pipelines; safe to repeat.

    Args:
        stack: part of the data streams' names.
        retention: ages at which documents are deleted.
        data_stream_api: whether the server has the calls that change an existing data stream.
    """
    streams = [
        task_logs.stream(stack=stack, retention_seconds=retention.task_logs),
        container_logs.stream(stack=stack, retention_seconds=retention.container_logs),
        dead_letters.stream(stack=stack, retention_seconds=retention.dead_letters),
    ]
    made = [one for stream in streams for one in stream.setup_requests(data_stream_api=data_stream_api)]
    return {
        "service": "Elasticsearch",
        "base_url": URL,
        "username": SUPERUSER,
        "password_file": secret_path("elastic_password"),
        "ready": {"path": "/_cluster/health?wait_for_status=yellow&timeout=5s", "seconds": 120},
        "requests": [*_users([stream.name for stream in streams]), *made],
    }


def _users(streams: Sequence[str]) -> list[dict[str, Any]]:
    return [
        _set_password("kibana_system", "kibana_system_password"),
        *(request(f"role {name}", "PUT", f"/_security/role/{name}", role) for name, role in _roles(streams)),
        _user(LOG_WRITER, ["log_writer"], "log_writer_password"),
        _user(LOG_READER, ["log_reader"], "log_reader_password"),
        _user(KIBANA_USER, ["log_reader", "kibana_admin"], "kibana_user_password"),
        _user(MONITOR, [MONITOR], "elastic_monitor_password"),
        _user(JAEGER, [JAEGER], "jaeger_password"),
    ]


def _roles(streams: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            "log_writer",
            {
                "cluster": ["monitor"],
                "indices": [{"names": streams, "privileges": ["create_doc", "auto_configure"]}],
            },
        ),
        (
            "log_reader",
            {
                "cluster": ["cluster:monitor/main"],
                "indices": [{"names": streams, "privileges": ["read", "view_index_metadata"]}],
            },
        ),
        (MONITOR, {"cluster": ["monitor"], "indices": [{"names": ["*"], "privileges": ["monitor"]}]}),
        (
            JAEGER,
            {
                # It puts the templates of its indices itself, whenever it starts.
                "cluster": ["monitor", "manage_index_templates"],
                "indices": [
                    {
                        "names": ["jaeger-*"],
                        "privileges": ["create_index", "manage", "read", "write", "view_index_metadata"],
                    }
                ],
            },
        ),
    ]


def _user(name: str, roles: list[str], password: str) -> dict[str, Any]:
    body = {"password": secret(password), "roles": roles}
    return request(f"user {name}", "PUT", f"/_security/user/{name}", body)


def _set_password(user: str, password: str) -> dict[str, Any]:
    path = f"/_security/user/{user}/_password"
    return request(f"password of {user}", "POST", path, {"password": secret(password)})
