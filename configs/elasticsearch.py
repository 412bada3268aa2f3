"""What the Elasticsearch node is told: its start, its settings, and the plan of its set-up step."""

from typing import Any

from configs import task_logs
from configs.secret_files import secret_path
from configs.steps import request, secret
from units import mebibytes

URL = "http://elasticsearch:9200"
SUPERUSER = "elastic"
LOG_READER = "log_reader"
LOG_WRITER = "filebeat_writer"
KIBANA_USER = "kibana_user"

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


def setup_plan(*, stack: str, retention_seconds: int, data_stream_api: bool) -> dict[str, Any]:
    """The set-up step's plan: users and roles, ingest pipeline, template and data stream; safe to repeat.

    Args:
        stack: part of the data stream's name.
        retention_seconds: age at which log lines are deleted.
        data_stream_api: whether the server has the calls that change an existing data stream's retention.
    """
    return {
        "service": "Elasticsearch",
        "base_url": URL,
        "username": SUPERUSER,
        "password_file": secret_path("elastic_password"),
        "ready": {"path": "/_cluster/health?wait_for_status=yellow&timeout=5s", "seconds": 120},
        "requests": [
            *_users(stack),
            *task_logs.setup_requests(
                stack=stack, retention_seconds=retention_seconds, data_stream_api=data_stream_api
            ),
        ],
    }


def _users(stack: str) -> list[dict[str, Any]]:
    stream = task_logs.data_stream(stack)
    writer = {
        "cluster": ["monitor"],
        "indices": [{"names": [stream], "privileges": ["create_doc", "auto_configure"]}],
    }
    reader = {
        "cluster": ["cluster:monitor/main"],
        "indices": [{"names": [stream], "privileges": ["read", "view_index_metadata"]}],
    }
    return [
        _set_password("kibana_system", "kibana_system_password"),
        request("role log_writer", "PUT", "/_security/role/log_writer", writer),
        request("role log_reader", "PUT", "/_security/role/log_reader", reader),
        _user(LOG_WRITER, ["log_writer"], "log_writer_password"),
        _user(LOG_READER, ["log_reader"], "log_reader_password"),
        _user(KIBANA_USER, ["log_reader", "kibana_admin"], "kibana_user_password"),
    ]


def _user(name: str, roles: list[str], password: str) -> dict[str, Any]:
    body = {"password": secret(password), "roles": roles}
    return request(f"user {name}", "PUT", f"/_security/user/{name}", body)


def _set_password(user: str, password: str) -> dict[str, Any]:
    path = f"/_security/user/{user}/_password"
    return request(f"password of {user}", "POST", path, {"password": secret(password)})
