"""What the log exporter is told: where log lines are written, where they must arrive, whom to ask on the way.

The programs themselves are in ``configs/exporters``.
"""

import json
from pathlib import Path

from configs import container_logs, dead_letters, task_logs
from configs.elasticsearch import LOG_READER, URL
from configs.filebeat import STATS_PORT

PORT = 9104
CANARY_DAG = "@canary"
"""``airflow.dag_id`` of the canary lines among the tasks' logs. Airflow refuses such a name for a DAG."""

_HOME = "/opt/exporters"
_PROGRAMS = ("log_shipping.py", "filebeat_stats.py")
_CONFIG = f"{_HOME}/config.json"
_INTERVAL_SECONDS = 30

COMMAND = ["python", f"{_HOME}/{_PROGRAMS[0]}", _CONFIG]
PROBE = ["curl", "-sf", "-o", "/dev/null", f"http://localhost:{PORT}/metrics"]


def files(*, stack: str, logs_path: str, password_file: str, containers: bool) -> dict[str, str]:
    """The program's files: path -> text.

    Args:
        stack: names the data streams.
        logs_path: Airflow's log folder as the exporter sees it.
        password_file: holds the log reader's password.
        containers: whether the services' own logs are shipped too.
    """
    config = {
        "port": PORT,
        "interval_seconds": _INTERVAL_SECONDS,
        "elasticsearch": {"url": URL, "username": LOG_READER, "password_file": password_file},
        "canary_dag": CANARY_DAG,
        "logs_path": logs_path,
        "task_stream": task_logs.data_stream(stack),
        "container_stream": container_logs.data_stream(stack) if containers else None,
        "dead_letter_stream": dead_letters.data_stream(stack),
        "filebeats": {
            service: f"http://{service}:{STATS_PORT}/stats"
            for service in ("filebeat", *(["filebeat-containers"] if containers else []))
        },
    }
    programs = Path(__file__).parent / "exporters"
    return {
        _CONFIG: json.dumps(config, indent=2, sort_keys=True) + "\n",
        **{f"{_HOME}/{name}": (programs / name).read_text(encoding="utf-8") for name in _PROGRAMS},
    }
