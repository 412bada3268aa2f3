"""The services' own logs in Elasticsearch: the data stream, and the pipeline that tells a line's level."""

from typing import Any

from configs.data_streams import FLATTENED, KEYWORD, TEXT, DataStream, fields, script

PIPELINE = "container-logs"

_DATE = r"\d{4}-\d{2}-\d{2}[T ][\d:.,]+"
_LEVELS = [
    # Airflow: `2026-01-02T03:04:05.678Z [info     ] event`.
    rf"^{_DATE}\S* \[(?<at.level>[A-Za-z]+)\s*\]",
    # Kibana, the JVM: `[2026-01-02T03:04:05.678+00:00][INFO ][plugin] text`.
    r"^\[[^\]]+\]\[(?<at.level>[A-Za-z]+)\s*\]",
    # Postgres: `2026-01-02 03:04:05.678 UTC [1] LOG:  text`.
    rf"^{_DATE} \S+ \[\d+\] (?:\S+ )?(?<at.level>[A-Z]+[1-5]?):\s",
    # The OpenTelemetry collector, on which Jaeger is built: time, level and text between tabs.
    rf"^{_DATE}\S*\t(?<at.level>[A-Za-z]+)\t",
    # Go's servers: `time=... level=INFO source=... msg=...`, the keys before the level in any order.
    r"^(?:[\w.]+=(?:\"[^\"]*\"|\S*) ){0,8}(?:level|lvl|severity)=\"?(?<at.level>[A-Za-z]+)",
    # klog: `I0102 03:04:05.678901       1 main.go:1] text`.
    r"^(?<at.level>[IWEF])\d{4} [\d:.]+\s+\d+ ",
    # Python's warnings: `/usr/lib/x.py:12: DeprecationWarning: text`.
    r"^\S+\.py:\d+: \w*(?<at.level>Warning): ",
    # Uvicorn, and Python's logging without a configuration: `INFO:     text`, `WARNING:root:text`.
    r"^(?<at.level>[A-Z]{4,8})(?: \[[\w.]+\])?[: ]",
]


def data_stream(stack: str) -> str:
    """The name of the data stream of the logs of a stack's containers."""
    return f"logs-docker.container-{stack}"


def stream(*, stack: str, retention_seconds: int) -> DataStream:
    """The data stream.

    Of a line that is JSON the text becomes the message, and its other keys are kept under ``json``. A line
    whose level cannot be told has none.
    """
    return DataStream(
        name=data_stream(stack),
        pipeline=PIPELINE,
        retention=retention_seconds,
        processors=[
            script("container_lines.painless"),
            {
                "json": {
                    "field": "message",
                    "target_field": "at.line",
                    "ignore_failure": True,
                    "if": "ctx.message.startsWith('{')",
                }
            },
            {
                "grok": {
                    "field": "message",
                    "patterns": _LEVELS,
                    "ignore_failure": True,
                    "if": "ctx.at?.line == null",
                }
            },
            script("tame.painless", "container_log.painless"),
        ],
        properties=_properties(),
    )


def _properties() -> dict[str, Any]:
    return {
        "message": TEXT,
        "stream": KEYWORD,
        "service": fields(name=KEYWORD, environment=KEYWORD),
        "container": fields(id=KEYWORD, name=KEYWORD),
        "log": fields(level=KEYWORD, logger=KEYWORD, offset={"type": "long"}, flags=KEYWORD),
        "error": fields(type=KEYWORD, message=TEXT, stack_trace=TEXT),
        "json": FLATTENED,
    }
