"""Data streams in Elasticsearch: what each of ours has, and the requests that make it.

Works on servers with and without the parts that not every distribution has: no templates in processors, no
``match_only_text``, and a data stream that comes into being by its first document.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.steps import request
from units import duration_text

# Elastic's own template for logs-*-* has 100; its guide asks for more than 200.
_PRIORITY = 500
_SCRIPTS = Path(__file__).parent
_SEED = "made-by-setup"
# Lucene refuses a document with a term above 32766 bytes, and a character may need 4 of them.
_LONGEST_TERM = 8191

KEYWORD = {"type": "keyword", "ignore_above": 1024}
INTEGER = {"type": "integer", "ignore_malformed": True}
TEXT = {"type": "text", "norms": False}
FLATTENED = {"type": "flattened", "ignore_above": _LONGEST_TERM}


@dataclass(frozen=True, kw_only=True)
class LogRetention:
    """Ages in seconds at which documents are deleted.

    Attributes:
        task_logs: lines that tasks logged.
        container_logs: lines that the stack's services logged.
        dead_letters: documents that one of the other streams refused.
    """

    task_logs: int
    container_logs: int
    dead_letters: int


@dataclass(frozen=True, kw_only=True)
class DataStream:
    """One data stream of the stack.

    Attributes:
        name: type, dataset and namespace, joined as Elastic's naming scheme has it.
        pipeline: identifier of the ingest pipeline that every document goes through.
        processors: the pipeline.
        on_failure: what becomes of a document that the pipeline fails on; without it, it is refused.
        properties: the fields that searches use. Any other is kept in the document and not indexed, so that
            no document can add to the mapping.
        retention: age in seconds at which documents are deleted.
    """

    name: str
    pipeline: str
    processors: Sequence[Mapping[str, Any]]
    properties: Mapping[str, Any]
    retention: int
    on_failure: Sequence[Mapping[str, Any]] = ()

    def setup_requests(self, *, data_stream_api: bool) -> list[dict[str, Any]]:
        """Requests of the set-up plan that make the stream or bring it up to date; safe to repeat."""
        retention = {"data_retention": duration_text(self.retention)}
        stream = f"/_data_stream/{self.name}"
        # The template speaks for streams made later; these for the one that is there.
        update = [
            request(f"retention of {self.name}", "PUT", f"{stream}/_lifecycle", retention),
            request(f"failure store of {self.name}", "PUT", f"{stream}/_options", _NO_FAILURE_STORE),
        ]
        return [
            request(f"pipeline {self.pipeline}", "PUT", f"/_ingest/pipeline/{self.pipeline}", self.body()),
            request(f"template {self.name}", "PUT", f"/_index_template/{self.name}", self.template()),
            # A first document makes the stream where there is no call for that; readers need it to exist.
            request(
                f"data stream {self.name}",
                "PUT",
                f"/{self.name}/_create/{_SEED}?pipeline=_none&refresh=true",
                {"@timestamp": "1970-01-01T00:00:00Z"},
                unless=f"/{self.name}/_settings",
                expect=(201, 409),
            ),
            request(
                f"nothing but documents in {self.name}",
                "POST",
                f"/{self.name}/_delete_by_query?refresh=true&conflicts=proceed",
                {"query": {"ids": {"values": [_SEED]}}},
            ),
            *(update if data_stream_api else []),
            request(f"mapping of {self.name}", "PUT", f"/{self.name}/_mapping", self.mappings()),
        ]

    def body(self) -> dict[str, Any]:
        """The ingest pipeline, which the server's simulate API takes as it is."""
        made: dict[str, Any] = {"description": f"Documents of {self.name}", "processors": self.processors}
        return made | ({"on_failure": self.on_failure} if self.on_failure else {})

    def template(self) -> dict[str, Any]:
        """The index template."""
        return {
            "index_patterns": [self.name],
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
                    "index.default_pipeline": self.pipeline,
                },
                "mappings": self.mappings(),
                "lifecycle": {"enabled": True, "data_retention": duration_text(self.retention)},
                "data_stream_options": _NO_FAILURE_STORE,
            },
        }

    def mappings(self) -> dict[str, Any]:
        """The mapping."""
        properties = {"@timestamp": {"type": "date"}, **self.properties}
        return {"dynamic": False, "date_detection": False, "properties": properties}


# A refused document would count as stored, and Filebeat would not put it among the dead letters.
_NO_FAILURE_STORE = {"failure_store": {"enabled": False}}


def fields(**properties: Any) -> dict[str, Any]:
    """An object field with these fields."""
    return {"properties": properties}


def script(*files: str) -> dict[str, Any]:
    """A processor that runs a Painless script, put together from files beside this module."""
    source = "\n".join((_SCRIPTS / file).read_text(encoding="utf-8") for file in files)
    return {"script": {"lang": "painless", "source": source}}
