"""Filebeat as the platform starts it for task logs, and log files written into it as Airflow writes them."""

import json
from typing import Any

from conftest import SECRETS, STACK, LogStore
from docker.models.containers import Container

from configs import filebeat

CONFIG = "/usr/share/filebeat/filebeat.yml"
SECRET = "/run/secrets/filebeat.yml"
LOGS = "/opt/airflow/logs"
MEMORY = 192 * 2**20
SHIPPED_SECONDS = 60


def start_filebeat(log_store: LogStore) -> Container:
    """A Filebeat with a log folder of its own."""
    return log_store.network.start(
        "filebeat",
        memory=MEMORY,
        environment=filebeat.environment(memory_bytes=MEMORY),
        entrypoint=["filebeat"],
        command=filebeat.command(CONFIG, SECRET),
        files={
            CONFIG: filebeat.render(stack=STACK, logs_path=LOGS),
            f"{LOGS}/placed-by-the-test": "",
        },
        secrets={"filebeat.yml": filebeat.render_secret(SECRETS["log_writer_password"])},
    )


def write(container: Container, path: str, *lines: str) -> None:
    """Append lines to a log file, as Airflow does."""
    script = 'mkdir -p "$(dirname "$0")" && cat >>"$0" <<<"$1"'
    done = container.exec_run(["bash", "-c", script, path, "\n".join(lines)], user="0:0")
    assert done.exit_code == 0, done.output


def task_path(
    dag: str, *, run: str = "manual__1", task: str = "t", middle: str = "", end: str = "attempt=1.log"
) -> str:
    """The file of a task instance's try."""
    return f"{LOGS}/dag_id={dag}/run_id={run}/task_id={task}/{middle}{end}"


def task_line(message: str, **more: Any) -> str:
    """A line of a task."""
    return json.dumps({"timestamp": "2026-01-02T03:04:05.678901Z", "event": message, "level": "info", **more})
