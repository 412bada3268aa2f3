"""Whether each user of a real Elasticsearch may do what it is for, and nothing else.

Decides: the answers to the calls that each client makes, and to those that would harm. Cannot decide: whether
a client's next version makes other calls.
"""

from typing import Any

import pytest
from conftest import SECRETS, STACK, LogStore

from configs import container_logs, dead_letters, elasticsearch, task_logs

_TIME = "2026-01-02T03:04:06.123456Z"
_STREAMS = (task_logs.data_stream(STACK), container_logs.data_stream(STACK), dead_letters.data_stream(STACK))
_ALL = {"query": {"match_all": {}}}
_HARMFUL = [
    ("GET", "/.security/_search", None),
    ("GET", "/_security/user", None),
    ("PUT", "/_security/user/me", {"password": "long enough", "roles": ["superuser"]}),
    ("PUT", "/_ingest/pipeline/x", {"processors": []}),
    ("PUT", "/_cluster/settings", {"persistent": {"cluster.max_shards_per_node": 1}}),
    ("PUT", "/another-index/_doc/1", {"x": 1}),
]


def _refused(log_store: LogStore, method: str, path: str, body: Any, user: str) -> None:
    answer = log_store.ask(method, path, body, user=user)
    expected = (403, 404) if ".security" in path else (403,)
    assert answer.status_code in expected, f"{user}: {method} {path}: {answer.text}"
    assert not any(secret in answer.text for secret in SECRETS.values())


@pytest.mark.parametrize(
    "user",
    [
        elasticsearch.LOG_WRITER,
        elasticsearch.LOG_READER,
        elasticsearch.KIBANA_USER,
        elasticsearch.MONITOR,
        elasticsearch.JAEGER,
    ],
)
@pytest.mark.parametrize(("method", "path", "body"), _HARMFUL)
def test_nobody_may_harm_the_server(
    log_store: LogStore, user: str, method: str, path: str, body: Any
) -> None:
    _refused(log_store, method, path, body, user)


@pytest.mark.parametrize("stream", _STREAMS)
def test_the_writer_may_only_append(log_store: LogStore, stream: str) -> None:
    line = {"@timestamp": _TIME, "message": "first"}
    path = f"/{stream}/_create/once"
    assert log_store.ask("PUT", path, line, user=elasticsearch.LOG_WRITER).status_code == 201
    assert log_store.ask("PUT", path, line, user=elasticsearch.LOG_WRITER).status_code == 409
    for method, call, body in (
        ("POST", f"/{stream}/_search", _ALL),
        ("POST", f"/{stream}/_delete_by_query", _ALL),
        ("POST", f"/{stream}/_update_by_query", _ALL),
        ("DELETE", f"/{stream}", None),
        ("DELETE", f"/_index_template/{stream}", None),
    ):
        _refused(log_store, method, call, body, elasticsearch.LOG_WRITER)


@pytest.mark.parametrize("user", [elasticsearch.LOG_READER, elasticsearch.KIBANA_USER])
@pytest.mark.parametrize("stream", _STREAMS)
def test_readers_may_only_read(log_store: LogStore, stream: str, user: str) -> None:
    assert log_store.ask("POST", f"/{stream}/_search", _ALL, user=user).status_code == 200
    assert log_store.ask("POST", f"/{stream}/_count", _ALL, user=user).status_code == 200
    assert log_store.ask("GET", f"/{stream}/_field_caps?fields=*", user=user).status_code == 200
    _refused(log_store, "POST", f"/{stream}/_doc", {"@timestamp": _TIME}, user)
    _refused(log_store, "POST", f"/{stream}/_delete_by_query", _ALL, user)
    _refused(log_store, "DELETE", f"/{stream}", None, user)


@pytest.mark.parametrize("user", ["kibana_system", elasticsearch.KIBANA_USER])
def test_kibana_and_its_user_can_log_in(log_store: LogStore, user: str) -> None:
    assert log_store.ask("GET", "/_security/_authenticate", user=user).json()["username"] == user


def test_the_monitor_sees_figures_and_no_document(log_store: LogStore) -> None:
    for path in (
        "/",
        "/_cluster/health?level=indices",
        "/_nodes/stats",
        "/_all/_stats",
        "/_cluster/settings?include_defaults=true",
        f"/{_STREAMS[0]}/_stats",
    ):
        answer = log_store.ask("GET", path, user=elasticsearch.MONITOR)
        assert answer.status_code == 200, f"{path}: {answer.text}"
    _refused(log_store, "POST", f"/{_STREAMS[0]}/_search", _ALL, elasticsearch.MONITOR)
    _refused(log_store, "POST", f"/{_STREAMS[0]}/_doc", {"@timestamp": _TIME}, elasticsearch.MONITOR)
    _refused(log_store, "DELETE", f"/{_STREAMS[0]}", None, elasticsearch.MONITOR)


def test_jaeger_has_its_own_indices_and_no_other(log_store: LogStore) -> None:
    user = elasticsearch.JAEGER
    template = {"index_patterns": ["jaeger-span-*"], "template": {"settings": {"number_of_replicas": 0}}}
    span = {"traceID": "1", "startTime": 1}
    for method, path, body in (
        ("GET", "/", None),
        ("PUT", "/_index_template/jaeger-span", template),
        ("PUT", "/_template/jaeger-service", {"index_patterns": ["jaeger-service-*"], "settings": {}}),
        ("PUT", "/jaeger-span-2026-01-02/_doc/1?refresh=true", span),
        ("POST", "/jaeger-span-*/_search", _ALL),
        ("POST", "/jaeger-span-2026-01-02/_update/1", {"doc": span}),
        ("PUT", "/jaeger-span-2026-01-02/_alias/jaeger-span-read", None),
        ("DELETE", "/jaeger-span-2026-01-02", None),
    ):
        answer = log_store.ask(method, path, body, user=user)
        assert answer.ok, f"{method} {path}: {answer.text}"
    _refused(log_store, "POST", f"/{_STREAMS[0]}/_search", _ALL, user)
    _refused(log_store, "POST", f"/{_STREAMS[0]}/_doc", {"@timestamp": _TIME}, user)
    _refused(log_store, "DELETE", f"/{_STREAMS[0]}", None, user)
