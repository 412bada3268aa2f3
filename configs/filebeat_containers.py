"""What the second Filebeat is told: it reads the engine's log files and ships the lines of this stack."""

from typing import Any

from configs import filebeat
from configs.container_logs import data_stream

_KIBIBYTE = 1024
# What a line of Airflow's own processes begins with; any other belongs to the one before it, be it part of a
# traceback, of an exception's text of several lines, or of a statement.
_AIRFLOW_LINE = (
    "^(?:"
    + "|".join(
        [
            r"\[?\d{4}-\d{2}-\d{2}[T ]",
            r"\{",
            r"\w+=",
            r"(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)[: ]",
            r"/\S+\.py:\d+: \w*Warning",
        ]
    )
    + ")"
)
# Of other services only what is set in belongs to the line before it: nobody knows what all of them print.
_SET_IN = r"^[ \t]+\S"


def render(*, stack: str, containers_path: str) -> str:
    """The text of filebeat.yml.

    Args:
        stack: names the data stream, and the containers whose lines are shipped.
        containers_path: the engine's folder of containers as Filebeat sees it.
    """
    inputs = [
        _input(
            "airflow",
            containers_path,
            lines={"pattern": _AIRFLOW_LINE, "negate": True},
            drop_when={"not": _tag(f"^{stack}-airflow-")},
        ),
        _input(
            "services",
            containers_path,
            lines={"pattern": _SET_IN, "negate": False},
            drop_when={"or": [{"not": _tag(f"^{stack}-")}, _tag(f"^{stack}-airflow-")]},
        ),
    ]
    return filebeat.render_config(
        inputs=inputs, processors=_processors(stack), stack=stack, index=data_stream(stack)
    )


def _tag(pattern: str) -> dict[str, Any]:
    return {"regexp": {"docker.attrs.tag": pattern}}


def _input(
    name: str, containers_path: str, *, lines: dict[str, Any], drop_when: dict[str, Any]
) -> dict[str, object]:
    """One reader of all files.

    A line says whose it is only by its tag, and lines are joined before events can be told apart. So each
    file is read once for each way of joining, and what the other reader ships is dropped.
    """
    return {
        "type": "filestream",
        # A changed id reads everything again.
        "id": f"container-logs-{name}",
        "paths": [f"{containers_path}/*/*-json.log*"],
        "file_identity.native": None,
        "prospector.scanner": {
            "fingerprint.enabled": False,
            # The file that was rotated last is found again by its inode, and read on where that ended. One
            # more would bring an inode that the newest file may have been given again.
            "exclude_files": [r"-json\.log\.(?:1.|[^1])"],
            # Often enough to see that a container is gone before the next one's file takes the same inode.
            "check_interval": "500ms",
        },
        "backoff": {"init": "250ms", "max": "1s"},
        "message_max_bytes": 64 * _KIBIBYTE,
        "parsers": [
            {"container": {"stream": "all", "format": "json-file"}},
            # The wait for a next line delays the last one of each burst.
            {"multiline": {"type": "pattern", "match": "after", "timeout": "1s", "max_lines": 500, **lines}},
        ],
        "processors": [{"drop_event": {"when": drop_when}}],
    }


def _processors(stack: str) -> list[dict[str, object]]:
    return [
        {"drop_event": {"when": {"regexp": {"message": r"^\s*$"}}}},
        {
            "dissect": {
                "field": "log.file.path",
                "tokenizer": "%{}/containers/%{container.id}/%{}",
                "target_prefix": "",
            }
        },
        {
            "dissect": {
                "field": "docker.attrs.tag",
                "tokenizer": f"{stack}-%{{service.name}}",
                "target_prefix": "",
            }
        },
        {"add_fields": {"target": "service", "fields": {"environment": stack}}},
        {"copy_fields": {"fields": [{"from": "docker.attrs.tag", "to": "container.name"}]}},
        # A second reading of the same line gives the same document id, so that replays make no duplicates.
        # Not by the file's name, which a rotation changes.
        {
            "fingerprint": {
                "fields": ["container.id", "log.offset", "@timestamp"],
                "target_field": "@metadata._id",
                "encoding": "base64",
            }
        },
        {
            "drop_fields": {
                "fields": ["agent", "docker", "ecs", "host", "input", "log.file"],
                "ignore_missing": True,
            }
        },
    ]
