"""What Filebeat is told: which files to read, what a line becomes, and where it goes.

Tuned for short delays (a new line is found about a second after it was written) at a throughput far above
what one scheduler writes; the reasons stand beside the values.
"""

import json
from collections.abc import Sequence
from typing import Any

import yaml

from configs import dead_letters
from configs.elasticsearch import LOG_WRITER, URL
from configs.task_logs import data_stream

STATS_PORT = 5066
_KIBIBYTE = 1024
# Lines in memory. With the longest line allowed they must fit into the container's limit, or a task that logs
# long lines gets Filebeat killed, over and over, since it reads the same lines again.
_QUEUE = 512

PROBE = ["curl", "-sf", "-o", "/dev/null", f"http://localhost:{STATS_PORT}/"]


def command(config: str, secret: str) -> list[str]:
    """Filebeat's arguments: the second file is merged over the first."""
    return ["-e", "-c", config, "-c", secret]


def environment(*, memory_bytes: int) -> dict[str, str]:
    """The container's environment: the limit tells Go's collector when to work harder instead of growing."""
    return {"GOMEMLIMIT": f"{memory_bytes * 7 // 10 // _KIBIBYTE}KiB"}


def render(*, stack: str, logs_path: str) -> str:
    """The text of filebeat.yml for Airflow's task logs.

    Args:
        stack: names the data stream.
        logs_path: Airflow's log folder as Filebeat sees it.
    """
    return render_config(
        inputs=[_task_logs(logs_path)], processors=_processors(), stack=stack, index=data_stream(stack)
    )


def render_config(*, inputs: Sequence[Any], processors: Sequence[Any], stack: str, index: str) -> str:
    """The text of a filebeat.yml: what each Filebeat of the stack has in common, around its own inputs.

    Args:
        inputs: what is read.
        processors: what is done to each event.
        stack: names the data stream of what Elasticsearch refuses.
        index: the data stream of all else.
    """
    config = {
        "filebeat.inputs": list(inputs),
        # Until then Filebeat waits at a stop for what it has sent; the container's grace must be longer.
        "filebeat.shutdown_timeout": "5s",
        "processors": list(processors),
        "queue.mem": {"events": _QUEUE, "flush.min_events": _QUEUE // 2, "flush.timeout": "200ms"},
        "output.elasticsearch": {
            "hosts": [URL],
            "username": LOG_WRITER,
            "index": index,
            "worker": 2,
            "bulk_max_size": _QUEUE // 2,
            # Same host: bytes cost less than processor time.
            "compression_level": 0,
            # Without the limit shipping lags up to a minute behind a server that has come back.
            "backoff.max": "10s",
            # By default what the server refuses is dropped.
            "non_indexable_policy.dead_letter_index.index": dead_letters.data_stream(stack),
        },
        # The set-up step makes templates and pipelines; this user may not.
        "setup.template.enabled": False,
        "setup.ilm.enabled": False,
        "http": {"enabled": True, "host": "0.0.0.0", "port": STATS_PORT},
        "logging": {"level": "info", "to_stderr": True, "metrics.enabled": False},
    }
    return yaml.safe_dump(config, sort_keys=True)


def render_secret(password: str) -> str:
    """The part of the configuration that is secret."""
    # JSON is YAML, and quotes whatever the password holds.
    return json.dumps({"output.elasticsearch": {"password": password}}) + "\n"


def _task_logs(logs_path: str) -> dict[str, object]:
    folder = f"{logs_path}/dag_id=*/run_id=*/task_id=*"
    return {
        "type": "filestream",
        # A changed id reads everything again.
        "id": "airflow-task-logs",
        "paths": [f"{folder}/attempt=*.log*", f"{folder}/map_index=*/attempt=*.log*"],
        # A fingerprint needs 1024 bytes, which many a task never logs; each attempt has a path of its own.
        "file_identity.path": None,
        "prospector.scanner": {"fingerprint.enabled": False, "check_interval": "1s"},
        "backoff": {"init": "250ms", "max": "1s"},
        "close.on_state_change.inactive": "30m",
        # A longer line is cut and kept as plain text.
        "message_max_bytes": 64 * _KIBIBYTE,
        # Below a key of their own, since Airflow's `event` is text where Elastic's `event` is an object.
        "parsers": [{"ndjson": {"target": "airflow", "add_error_key": False, "overwrite_keys": True}}],
    }


def _processors() -> list[dict[str, object]]:
    return [
        # A second reading of the same line gives the same document id, so that replays make no duplicates.
        # The time tells a line from that of a file which took the place of a deleted one.
        {
            "fingerprint": {
                "fields": ["log.file.path", "log.offset", "airflow.timestamp"],
                "target_field": "@metadata._id",
                "encoding": "base64",
                "ignore_missing": True,
            }
        },
        # The same in every line, or of no use in a search; smaller documents are the cheapest gain in speed.
        {
            "drop_fields": {
                "fields": ["agent", "ecs", "host", "input", "log.file.inode", "log.file.device_id"],
                "ignore_missing": True,
            }
        },
    ]
