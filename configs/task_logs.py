"""Airflow's task logs in Elasticsearch: data stream, index template, and the pipeline that shapes each line.

Works on servers with and without the parts that not every distribution has: no templates in processors,
no ``match_only_text``, and a data stream that comes into being by its first document.
"""

from pathlib import Path
from typing import Any

from configs.steps import request
from units import duration_text

PIPELINE = "airflow-task-logs"

# Elastic's own template for logs-*-* has 100; its guide asks for more than 200.
_PRIORITY = 500
_SHAPE = Path(__file__).with_name("task_log.painless")
# Lucene refuses a document with a term above 32766 bytes, and a character may need 4 of them.
_LONGEST_TERM = 8191
_PATH = (
    "/dag_id=(?<at.dag_id>[^/]+)/run_id=(?<at.run_id>[^/]+)/task_id=(?<at.task_id>[^/]+)"
    r"(?:/map_index=(?<at.map_index>-?\d+))?/attempt=(?<at.try_number>\d+)\.log"
    r"(?:\.trigger\.(?<at.trigger_job>\d+)\.log)?$"
)
_SEED = "made-by-setup"


def data_stream(stack: str) -> str:
    """The data stream of a stack's task logs."""
    return f"logs-airflow.task-{stack}"


def setup_requests(*, stack: str, retention_seconds: int, data_stream_api: bool) -> list[dict[str, Any]]:
    """Requests of the set-up plan that make the data stream; safe to repeat."""
    stream = data_stream(stack)
    retention = duration_text(retention_seconds)
    seed = {"@timestamp": "1970-01-01T00:00:00Z"}
    # The template speaks for streams made later; this for the one that is there.
    lifecycle = request(
        f"retention {retention}", "PUT", f"/_data_stream/{stream}/_lifecycle", {"data_retention": retention}
    )
    return [
        request(f"pipeline {PIPELINE}", "PUT", f"/_ingest/pipeline/{PIPELINE}", pipeline()),
        request(f"template {stream}", "PUT", f"/_index_template/{stream}", template(stream, retention)),
        # A first document makes the stream where there is no call for that; readers need it to exist.
        request(
            f"data stream {stream}",
            "PUT",
            f"/{stream}/_create/{_SEED}?pipeline=_none&refresh=true",
            seed,
            unless=f"/{stream}/_settings",
            expect=(201, 409),
        ),
        request(
            "no document but log lines",
            "POST",
            f"/{stream}/_delete_by_query?refresh=true&conflicts=proceed",
            {"query": {"ids": {"values": [_SEED]}}},
        ),
        *([lifecycle] if data_stream_api else []),
        request("mapping", "PUT", f"/{stream}/_mapping", _mappings()),
    ]


def template(stream: str, retention: str) -> dict[str, Any]:
    """The index template of the data stream."""
    return {
        "index_patterns": [stream],
        "priority": _PRIORITY,
        "data_stream": {},
        "template": {
            "settings": {
                "index.mode": "standard",
                "index.number_of_shards": 1,
                # A second copy would have no node to live on, and the cluster would never be green.
                "index.number_of_replicas": 0,
                # Named, so that the index does not stop refreshing when nobody has searched for 30 s.
                "index.refresh_interval": "1s",
                "index.codec": "best_compression",
                "index.default_pipeline": PIPELINE,
            },
            "mappings": _mappings(),
            "lifecycle": {"enabled": True, "data_retention": retention},
        },
    }


def pipeline() -> dict[str, Any]:
    """The ingest pipeline: ids from the path, one shape for every line, and no line lost.

    The ids come from the file's path because Airflow's first line of each file has none, and because a task
    may log any key it likes, ``dag_id`` included; only lines without such a path are asked for theirs.
    """
    return {
        "description": "Airflow task log lines: ids from path or line, unknown keys under airflow.extra",
        "processors": [
            {"grok": {"field": "log.file.path", "patterns": [_PATH], "ignore_failure": True}},
            {"script": {"lang": "painless", "source": _SHAPE.read_text(encoding="utf-8")}},
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
        "on_failure": [
            # Whatever the line holds, it must not be lost: kept whole, unparsed, with the reason beside it.
            {"script": {"lang": "painless", "source": _KEEP}},
            {"set": {"field": "error.message", "copy_from": "_ingest.on_failure_message"}},
        ],
    }


_KEEP = """
Map at = ctx.at instanceof Map ? ctx.at : new HashMap();
if (ctx.airflow != null) {
  ctx.message = ctx.airflow.toString();
}
Map ids = new HashMap();
for (name in ['dag_id', 'task_id', 'run_id']) {
  if (at[name] != null) {
    ids[name] = at[name].toString();
  }
}
if (at.dag_id != null) {
  ids.try_number = Integer.parseInt(at.try_number.toString());
  ids.map_index = at.map_index == null ? -1 : Integer.parseInt(at.map_index.toString());
  ctx.log_id = ids.dag_id + '-' + ids.task_id + '-' + ids.run_id + '-' + ids.map_index + '-' + ids.try_number;
}
if (ctx.log instanceof Map && ctx.log.offset != null) {
  ctx.offset = ctx.log.offset;
}
ctx.airflow = ids;
ctx.remove('at');
ctx.error = ['type': 'ingest'];
"""


def _mappings() -> dict[str, Any]:
    """Fields that searches use; anything else is kept in the document, but not indexed."""
    keyword = {"type": "keyword", "ignore_above": 1024}
    number = {"type": "integer", "ignore_malformed": True}
    text = {"type": "text", "norms": False}
    flattened = {"type": "flattened", "ignore_above": _LONGEST_TERM}
    return {
        "dynamic": False,
        "date_detection": False,
        "properties": {
            "@timestamp": {"type": "date"},
            "message": text,
            "log_id": keyword,
            "offset": {"type": "long"},
            "log": _object(
                level=keyword,
                logger=keyword,
                offset={"type": "long"},
                file=_object(path=keyword),
                origin=_object(file=_object(name=keyword, line=number)),
            ),
            "airflow": _object(
                dag_id=keyword,
                task_id=keyword,
                run_id=keyword,
                try_number=number,
                map_index=number,
                ti_id=keyword,
                trigger_job=number,
                extra=flattened,
            ),
            "error": _object(type=keyword, message=text, stack_trace=text, detail=flattened),
        },
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"properties": properties}
