"""Airflow's own logging with one change: a task's log whose file is gone is read from Elasticsearch.

``[logging] logging_config_class`` names ``LOGGING_CONFIG``. Tasks write their files as ever, and Filebeat
ships them: nothing is uploaded, nothing deleted. As long as a file is there it is what Airflow shows, so that
a running task's lines come at once, and each of them once. The section ``[log_store]`` says where the lines
are kept, and where Kibana shows them.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.config_templates.airflow_local_settings import DEFAULT_LOGGING_CONFIG
from airflow.configuration import conf
from airflow.utils.log.file_task_handler import FileTaskHandler
from airflow.utils.log.logging_mixin import ExternalLoggingMixin
from airflow.utils.state import TaskInstanceState

if TYPE_CHECKING:
    from elasticsearch import Elasticsearch

LOGGING_CONFIG = deepcopy(DEFAULT_LOGGING_CONFIG)
LOGGING_CONFIG["handlers"]["task"]["class"] = f"{__name__}.StoredTaskHandler"

REMOTE_TASK_LOG = None
"""No upload when a task ends."""

_SECTION = "log_store"
_WRITING = (TaskInstanceState.RUNNING, TaskInstanceState.DEFERRED)
_ANSWER_SECONDS = 10
_LINES = 5000
_MOST_PAGES = 200
_MOST_FILES = 100


class StoredTaskHandler(FileTaskHandler, ExternalLoggingMixin):
    """Airflow's handler of task logs, which knows of a second place to read them from."""

    LOG_NAME = "Kibana"

    @property
    def log_name(self) -> str:
        """What the link to the other place is called."""
        return self.LOG_NAME

    @property
    def supports_external_link(self) -> bool:
        """Whether there is a Kibana."""
        return bool(conf.get(_SECTION, "kibana", fallback=""))

    def get_external_log_url(self, task_instance: Any, try_number: int) -> str:
        """The address at which Kibana shows the lines of one try."""
        log_id = quote(_log_id(task_instance, try_number), safe="")
        return conf.get(_SECTION, "kibana").replace("{log_id}", log_id)

    def _read_remote_logs(
        self, ti: Any, try_number: int, _metadata: Any = None
    ) -> tuple[list[str], list[Iterator[str]]]:
        path = Path(self.local_base, self._render_filename(ti, try_number))
        is_being_written = ti.try_number == try_number and ti.state in _WRITING
        if is_being_written or any(path.parent.glob(f"{path.name}*")):
            return [], []
        return _read(_log_id(ti, try_number))


def _log_id(ti: Any, try_number: int) -> str:
    return f"{ti.dag_id}-{ti.task_id}-{ti.run_id}-{ti.map_index}-{try_number}"


def _read(log_id: str) -> tuple[list[str], list[Iterator[str]]]:
    """Where the lines come from, and one stream of JSON lines for each of the try's former files.

    Airflow itself puts the streams in order of time, as it does with files. A server that cannot be asked is
    told of among the sources, and does not keep Airflow from looking elsewhere.
    """
    from elasticsearch import ApiError, TransportError

    url, index = conf.get(_SECTION, "url"), conf.get(_SECTION, "index")
    query = {"term": {"log_id": log_id}}
    try:
        files = _client(url).search(
            index=index,
            size=0,
            query=query,
            aggs={"files": {"terms": {"field": "log.file.path", "size": _MOST_FILES}}},
        )
    except (ApiError, TransportError, OSError) as error:
        return [f"{url} could not be asked: {error}"], []
    paths = sorted(bucket["key"] for bucket in files["aggregations"]["files"]["buckets"])
    if not paths:
        return [f"no line of {log_id} in {index} at {url}"], []
    return [f"{index} at {url}: {path}" for path in paths], [
        _lines(url, index, query, path) for path in paths
    ]


def _lines(url: str, index: str, query: Mapping[str, Any], path: str) -> Iterator[str]:
    client, after = _client(url), None
    for _ in range(_MOST_PAGES):
        page = client.search(
            index=index,
            size=_LINES,
            query={"bool": {"filter": [query, {"term": {"log.file.path": path}}]}},
            sort=["offset", "@timestamp"],
            search_after=after,
        )["hits"]["hits"]
        yield from (json.dumps(_line(hit["_source"])) for hit in page)
        if len(page) < _LINES:
            return
        after = page[-1]["sort"]
    yield json.dumps({"event": f"*** There are more than {_MOST_PAGES * _LINES} lines; Kibana has the rest."})


def _line(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as the line of Airflow's file that it was made of."""
    log, airflow, error = (document.get(name, {}) for name in ("log", "airflow", "error"))
    origin = log.get("origin", {}).get("file", {})
    line = {
        **airflow.get("extra", {}),
        "timestamp": document["@timestamp"],
        "level": log.get("level"),
        "event": document.get("message", ""),
        "logger": log.get("logger"),
        "filename": origin.get("name"),
        "lineno": origin.get("line"),
        "error_detail": error.get("detail", {}).get("raised"),
    }
    return {key: value for key, value in line.items() if value is not None}


def _client(url: str) -> "Elasticsearch":
    from elasticsearch import Elasticsearch

    password = Path(conf.get(_SECTION, "password_file")).read_text(encoding="utf-8").strip()
    return Elasticsearch(
        url,
        basic_auth=(conf.get(_SECTION, "username"), password),
        request_timeout=_ANSWER_SECONDS,
        max_retries=0,
    )
