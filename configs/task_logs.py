"""Airflow's task logs in Elasticsearch: the data stream, and the pipeline that shapes each line."""

from typing import Any

from configs.data_streams import FLATTENED, INTEGER, KEYWORD, TEXT, DataStream, fields, script

PIPELINE = "airflow-task-logs"

_PATH = (
    "/dag_id=(?<at.dag_id>[^/]+)/run_id=(?<at.run_id>[^/]+)/task_id=(?<at.task_id>[^/]+)"
    r"(?:/map_index=(?<at.map_index>-?\d+))?/attempt=(?<at.try_number>\d+)\.log"
    r"(?:\.trigger\.(?<at.trigger_job>\d+)\.log)?$"
)


def data_stream(stack: str) -> str:
    """The name of the data stream of a stack's task logs."""
    return f"logs-airflow.task-{stack}"


def stream(*, stack: str, retention_seconds: int) -> DataStream:
    """The data stream.

    The ids come from the file's path because Airflow's first line of each file has none, and because a task
    may log any key it likes, ``dag_id`` included; only lines without such a path are asked for theirs.
    Unknown keys are kept under ``airflow.extra``.
    """
    return DataStream(
        name=data_stream(stack),
        pipeline=PIPELINE,
        retention=retention_seconds,
        processors=[
            {"grok": {"field": "log.file.path", "patterns": [_PATH], "ignore_failure": True}},
            script("tame.painless", "task_log.painless"),
            {
                "date": {
                    "field": "at.timestamp",
                    "formats": ["ISO8601"],
                    # Airflow writes microseconds; the processor's own notation would cut them off.
                    "output_format": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
                    "ignore_failure": True,
                    "if": "ctx.at?.timestamp != null",
                }
            },
            {"remove": {"field": "at", "ignore_missing": True}},
        ],
        on_failure=[
            # Whatever the line holds, it must not be lost: kept whole, unparsed, with the reason beside it.
            script("task_log_unparsed.painless"),
            {"set": {"field": "error.message", "copy_from": "_ingest.on_failure_message"}},
        ],
        properties=_properties(),
    )


def _properties() -> dict[str, Any]:
    return {
        "message": TEXT,
        "log_id": KEYWORD,
        "offset": {"type": "long"},
        "log": fields(
            level=KEYWORD,
            logger=KEYWORD,
            offset={"type": "long"},
            file=fields(path=KEYWORD),
            origin=fields(file=fields(name=KEYWORD, line=INTEGER)),
        ),
        "airflow": fields(
            dag_id=KEYWORD,
            task_id=KEYWORD,
            run_id=KEYWORD,
            try_number=INTEGER,
            map_index=INTEGER,
            ti_id=KEYWORD,
            trigger_job=INTEGER,
            extra=FLATTENED,
        ),
        "error": fields(type=KEYWORD, message=TEXT, stack_trace=TEXT, detail=FLATTENED),
    }
