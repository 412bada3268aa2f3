"""Whether a real Filebeat ships what this machine's engine records of the stack's containers, and only that.

Decides: root without any capability can read the engine's files; lines carry their service; what belongs
together is one document and nothing else is; nothing is lost or doubled by a rotation, a kill or a new
container; the reader's own lines do not feed themselves. Cannot decide: engines whose data is elsewhere, and
what real services print.
"""

import json
import shlex
import textwrap
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from conftest import SECRETS, STACK, LogStore
from containers import execute, upload, wait_for
from docker.models.containers import Container
from docker.types import LogConfig

from configs import filebeat, filebeat_containers

_CONFIG = "/usr/share/filebeat/filebeat.yml"
_SECRET = "/run/secrets/filebeat.yml"
_CONTAINERS = "/var/lib/docker/containers"
_REGISTRY = "/usr/share/filebeat/data"
_MEMORY = 160 * 2**20
_SHIPPED_SECONDS = 60

Say = Callable[..., str]
Found = Callable[..., list[dict[str, Any]]]


def _logs(name: str, **options: str) -> LogConfig:
    config = {"max-size": "10m", "max-file": "3", "tag": f"{STACK}-{name}"} | options
    return LogConfig(type=LogConfig.types.JSON, config=config)


@pytest.fixture(scope="module")
def start(log_store: LogStore) -> Iterator[Callable[[], Container]]:
    """Start a reader; all of them share a registry, as a container and its successor do."""
    engine = log_store.network.engine
    root = engine.info()["DockerRootDir"]
    registry = engine.volumes.create(f"test-configs-registry-{uuid.uuid4().hex[:8]}")
    started: list[Container] = []

    def start_one() -> Container:
        container = log_store.network.start(
            "filebeat",
            alias="filebeat-containers",
            user="0:0",
            memory=_MEMORY,
            environment=filebeat.environment(memory_bytes=_MEMORY),
            entrypoint=["filebeat"],
            command=filebeat.command(_CONFIG, _SECRET),
            files={_CONFIG: filebeat_containers.render(stack=STACK, containers_path=_CONTAINERS)},
            secrets={"filebeat.yml": filebeat.render_secret(SECRETS["log_writer_password"])},
            volumes={
                f"{root}/containers": {"bind": _CONTAINERS, "mode": "ro"},
                registry.name: {"bind": _REGISTRY, "mode": "rw"},
            },
            log_config=_logs("filebeat-containers"),
        )
        started.append(container)
        wait_for("Filebeat's own health", lambda: execute(container, filebeat.PROBE)[0] == 0)
        return container

    yield start_one
    for container in started:
        container.remove(force=True)
        log_store.network.containers.remove(container)
    registry.remove()


@pytest.fixture(scope="module")
def reader(start: Callable[[], Container]) -> Container:
    """A running reader."""
    return start()


@pytest.fixture
def say(log_store: LogStore) -> Say:
    """Run a shell script as a service of the stack, and return the service's name, which nobody else has."""

    def run(service: str, script: str, *, tag: str = "", **log_options: str) -> str:
        name = f"{service}-{uuid.uuid4().hex[:8]}"
        options = log_options | ({"tag": tag} if tag else {})
        container = log_store.network.start(
            "filebeat",
            alias=name,
            entrypoint=["bash", "-c", textwrap.dedent(script)],
            log_config=_logs(name, **options),
        )
        container.wait(timeout=60)
        return name

    return run


@pytest.fixture
def found(log_store: LogStore) -> Found:
    """Wait until a service has as many documents as expected, and return them with no other there."""

    def wait(service: str, count: int) -> list[dict[str, Any]]:
        def hits() -> list[Mapping[str, Any]]:
            query = {"term": {"service.name": service}}
            return log_store.search(query, stream=log_store.container_stream)

        wait_for(f"{count} lines of {service}", lambda: len(hits()) >= count, seconds=_SHIPPED_SECONDS)
        log_store.ask("POST", f"/{log_store.container_stream}/_refresh")
        documents = [hit["_source"] for hit in hits()]
        assert len(documents) == count, [document["message"] for document in documents][:20]
        return sorted(documents, key=lambda document: document["log"]["offset"])

    return wait


@pytest.mark.usefixtures("reader")
def test_a_line_says_whose_it_is(say: Say, found: Found) -> None:
    name = say("service", 'echo "time=2026-01-02T03:04:05Z level=WARN msg=hello" >&2')
    (document,) = found(name, 1)
    assert document["service"] == {"name": name, "environment": STACK}
    assert document["container"]["name"] == f"{STACK}-{name}"
    assert len(document["container"]["id"]) == 64
    assert document["stream"] == "stderr"
    assert document["log"] == {"offset": 0, "level": "warning"}
    assert set(document) == {"@timestamp", "container", "log", "message", "service", "stream"}


@pytest.mark.usefixtures("reader")
def test_lines_of_others_are_not_shipped(log_store: LogStore, say: Say, found: Found) -> None:
    strange = say("strange", "echo not ours", tag=f"not-{STACK}-airflow-x")
    foreign = say("foreign", "echo not ours", tag=f"other{STACK}-service")
    untagged = say("untagged", "echo not ours", tag="{{.ID}}")
    found(say("ours", "echo ours"), 1)
    query = {"match_phrase": {"message": "not ours"}}
    assert not log_store.search(query, stream=log_store.container_stream), (strange, foreign, untagged)


@pytest.mark.usefixtures("reader")
def test_a_traceback_of_airflow_is_one_document(say: Say, found: Found) -> None:
    script = r"""
    echo '2026-01-02T03:04:05.000001Z [info     ] before [airflow.x] loc=x.py:1'
    cat <<'TEXT'
    2026-01-02T03:04:05.000002Z [error    ] boom [airflow.x] loc=x.py:2
    Traceback (most recent call last):
      File "/x.py", line 1, in f
        raise KeyError(1)
    KeyError: 1

    The above exception was the direct cause of the following exception:

    Traceback (most recent call last):
      File "/x.py", line 2, in g
    sqlalchemy.exc.OperationalError: (psycopg2.OperationalError) refused
      Is the server running?

    (Background on this error at: https://sqlalche.me/e/20/e3q8)
    TEXT
    echo '2026-01-02T03:04:05.000003Z [info     ] after [airflow.x] loc=x.py:3'
    echo '/usr/lib/x.py:12: DeprecationWarning: old'
    echo '  old()'
    """
    before, trace, after, warning = found(say("airflow-service", script), 4)
    assert before["message"].endswith("before [airflow.x] loc=x.py:1")
    assert trace["message"].splitlines()[1] == "Traceback (most recent call last):"
    assert trace["message"].splitlines()[5:8] == [
        "",
        "The above exception was the direct cause of the following exception:",
        "",
    ]
    assert trace["message"].endswith("(Background on this error at: https://sqlalche.me/e/20/e3q8)")
    assert trace["log"]["level"] == "error"
    assert after["log"]["level"] == "info"
    assert warning["message"] == "/usr/lib/x.py:12: DeprecationWarning: old\n  old()"


@pytest.mark.usefixtures("reader")
def test_lines_of_other_services_stay_apart(say: Say, found: Found) -> None:
    lines = ["plain", "Error: x", "ValueError: x", "", "CREATE TABLE", "ERROR:  x", "\tcontinued", "last"]
    script = f"printf '%s\\n' {shlex.join(lines)}"
    documents = found(say("service", script), 6)
    assert [document["message"] for document in documents] == [
        "plain",
        "Error: x",
        "ValueError: x",
        "CREATE TABLE",
        "ERROR:  x\n\tcontinued",
        "last",
    ]


@pytest.mark.usefixtures("reader")
def test_a_rotation_loses_and_doubles_nothing(say: Say, found: Found) -> None:
    """Ten files of a second each, of which the engine keeps three."""
    script = "for n in $(seq 1200); do echo line $n; [ $((n % 40)) = 0 ] && sleep 0.3; done; sleep 2"
    documents = found(say("rotated", script, **{"max-size": "16k"}), 1200)
    assert len({document["message"] for document in documents}) == 1200


@pytest.mark.usefixtures("reader")
def test_containers_that_replace_each_other_are_read_from_their_beginning(
    log_store: LogStore, say: Say, found: Found
) -> None:
    """The file of the next one may be given the inode of the last one, and has the same size."""
    for _ in range(5):
        found(say("step", "for n in $(seq 20); do echo line $n; done"), 20)
        log_store.network.containers.pop().remove(force=True)


def test_a_kill_and_a_new_container_double_nothing(
    start: Callable[[], Container], reader: Container, say: Say, found: Found
) -> None:
    """The registry outlives the container; a reader that lost its last second meets its own documents."""
    name = say("before", "for n in $(seq 500); do echo line $n; done")
    found(name, 500)
    reader.kill()
    later = say("later", "for n in $(seq 500); do echo line $n; done")
    second = start()
    found(later, 500)
    found(name, 500)
    code, stats = execute(second, ["curl", "-sf", "http://localhost:5066/stats"])
    assert code == 0, stats
    events = json.loads(stats)["libbeat"]["output"]["events"]
    assert events.get("dropped", 0) == 0
    # Fewer than all that the first reader shipped, tests before this one included.
    assert events.get("duplicates", 0) < 500
    second.kill()
    reader.start()
    wait_for("Filebeat's own health", lambda: execute(reader, filebeat.PROBE)[0] == 0)


@pytest.mark.usefixtures("reader")
def test_the_readers_own_lines_do_not_feed_themselves(log_store: LogStore, say: Say, found: Found) -> None:
    """While nothing can be shipped its log grows by the clock; afterwards, by nothing."""
    log_store.container.pause()
    try:
        said = say("meanwhile", "echo said while the server was away; sleep 15")
    finally:
        log_store.container.unpause()
    found(said, 1)

    def own() -> int:
        log_store.ask("POST", f"/{log_store.container_stream}/_refresh")
        query = {"query": {"term": {"service.name": "filebeat-containers"}}}
        return log_store.ask("POST", f"/{log_store.container_stream}/_count", query).json()["count"]

    settled = [own()]

    def quiet() -> bool:
        found(say("tick", "echo tick; sleep 3"), 1)
        settled.append(own())
        return settled[-1] == settled[-2]

    wait_for("silence of the reader", quiet, seconds=90)
    assert settled[-1] < 500, "a handful of lines at the start, and a few for each attempt"


def test_the_reader_needs_no_capability(reader: Container) -> None:
    reader.reload()
    assert reader.attrs["HostConfig"]["CapDrop"] == ["ALL"]
    code, status = execute(reader, ["cat", "/proc/1/status"])
    assert code == 0
    sets = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Cap"))
    assert set(sets.values()) == {"0000000000000000"}
    code, refused = execute(reader, ["touch", f"{_CONTAINERS}/x"])
    assert code != 0
    assert "Read-only" in refused


def test_the_password_is_not_to_be_seen(reader: Container) -> None:
    reader.reload()
    assert SECRETS["log_writer_password"] not in json.dumps(reader.attrs)
    assert SECRETS["log_writer_password"] not in reader.logs().decode(errors="replace")


def test_filebeat_accepts_the_configuration(log_store: LogStore) -> None:
    container = log_store.network.start(
        "filebeat", alias="config-test", entrypoint=["sleep"], command=["60"], user="0:0"
    )
    text = filebeat_containers.render(stack=STACK, containers_path=_CONTAINERS)
    upload(container, _CONFIG, text, 0o444)
    upload(container, "/tmp/secret.yml", filebeat.render_secret("x"), 0o444)
    arguments = filebeat.command(_CONFIG, "/tmp/secret.yml")
    code, log = execute(container, ["filebeat", "test", "config", *arguments])
    assert code == 0, log
