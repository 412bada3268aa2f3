"""One real Elasticsearch for the tests of this directory, set up by the plan that the platform applies."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from containers import Network, address, network, wait_for
from docker.models.containers import Container
from plans import apply_plan

from configs import container_logs, dead_letters, elasticsearch, task_logs
from configs.data_streams import LogRetention
from configs.versions import ImageSet, lacks

STACK = "configs"
RETENTION = LogRetention(task_logs=7 * 86400, container_logs=3 * 86400, dead_letters=86400)
SECRETS = {
    "elastic_password": "only-for-tests-elastic",
    "elastic_monitor_password": "only-for-tests-monitor",
    "jaeger_password": "only-for-tests-traces",
    "kibana_system_password": "only-for-tests-kibana",
    "kibana_user_password": "only-for-tests-person",
    "log_reader_password": "only-for-tests-reader",
    "log_writer_password": "only-for-tests-writer",
}
_HEAP = 512 * 2**20
_START_SECONDS = 180


_PASSWORDS = {
    elasticsearch.SUPERUSER: "elastic_password",
    "kibana_system": "kibana_system_password",
    elasticsearch.JAEGER: "jaeger_password",
    elasticsearch.KIBANA_USER: "kibana_user_password",
    elasticsearch.LOG_READER: "log_reader_password",
    elasticsearch.LOG_WRITER: "log_writer_password",
    elasticsearch.MONITOR: "elastic_monitor_password",
}
_STREAMS = (task_logs.data_stream(STACK), container_logs.data_stream(STACK), dead_letters.data_stream(STACK))


@dataclass
class LogStore:
    """The running server, asked as one of its users."""

    network: Network
    container: Container
    url: str
    stream: str
    container_stream: str
    dead_letter_stream: str

    def ask(self, method: str, path: str, body: Any = None, *, user: str = "elastic") -> requests.Response:
        """One request as ``user``."""
        login = (user, SECRETS[_PASSWORDS[user]])
        return requests.request(method, self.url + path, json=body, auth=login, timeout=60)

    def search(self, query: Mapping[str, Any], *, stream: str = "") -> list[dict[str, Any]]:
        """Documents of the task logs' data stream, or another, that match, as the log reader."""
        body = {"query": query, "size": 10_000}
        path = f"/{stream or self.stream}/_search"
        answer = self.ask("POST", path, body, user=elasticsearch.LOG_READER)
        answer.raise_for_status()
        return answer.json()["hits"]["hits"]

    def ingest(self, document: Mapping[str, Any], *, stream: str = "") -> dict[str, Any]:
        """Store one document as Filebeat sends it, and return it as it is found."""
        stream = stream or self.stream
        made = self.ask("POST", f"/{stream}/_doc?refresh=true", document, user=elasticsearch.LOG_WRITER)
        assert made.status_code == 201, made.text
        assert made.json().get("failure_store", "") != "used", made.text
        (hit,) = self.search({"ids": {"values": [made.json()["_id"]]}}, stream=stream)
        return hit["_source"]


@pytest.fixture(scope="session")
def plan(image_set: ImageSet) -> dict[str, Any]:
    """The plan of the set-up step, as the platform makes it."""
    return elasticsearch.setup_plan(
        stack=STACK,
        retention=RETENTION,
        data_stream_api=not lacks("elasticsearch", image_set, "data_stream_api"),
    )


@pytest.fixture(scope="session")
def running_store(image_set: ImageSet, plan: dict[str, Any]) -> Iterator[LogStore]:
    """Elasticsearch after its set-up step."""
    with network(image_set) as made:
        container = made.start(
            "elasticsearch",
            memory=2 * _HEAP + _HEAP // 2,
            entrypoint=elasticsearch.ENTRYPOINT,
            command=elasticsearch.COMMAND,
            environment=elasticsearch.environment(
                stack=STACK, heap_bytes=_HEAP, password_file="/run/secrets/elastic_password"
            ),
            secrets={"elastic_password": SECRETS["elastic_password"]},
            port=9200,
        )
        store = LogStore(made, container, address(container, 9200), *_STREAMS)
        wait_for("Elasticsearch", lambda: _answers(store), seconds=_START_SECONDS)
        code, log = apply_plan(made, plan, SECRETS)
        assert code == 0, log
        yield store


@pytest.fixture(scope="module")
def log_store(running_store: LogStore) -> Iterator[LogStore]:
    """The one server; what a file starts beside it is removed after the file."""
    with running_store.network.cleared():
        yield running_store


def _answers(store: LogStore) -> bool:
    store.container.reload()
    assert store.container.status == "running", store.container.logs(tail=30).decode(errors="replace")
    try:
        return store.ask("GET", "/_cluster/health?wait_for_status=yellow&timeout=5s").ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def apply(log_store: LogStore) -> Callable[[Mapping[str, Any]], tuple[int, str]]:
    """Apply a plan on the log store's network, in a container like the platform's: exit code and log."""
    return lambda plan: apply_plan(log_store.network, plan, SECRETS)
