"""Whether the step that gives Kibana its objects goes through, and can be repeated.

Where the image set has no Kibana a double stands in (``tests/doubles/kibana``). Against it this decides that
the configuration is complete, that Kibana's user can reach Elasticsearch, and that the requests have the form
of the documentation; whether the real Kibana shows the searches well, only the real one decides.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import SECRETS, STACK, LogStore
from containers import address, execute, wait_for
from docker.models.containers import Container

from configs import elasticsearch, kibana, task_logs
from configs.versions import ImageSet, image_for, lacks

_DOUBLE = Path(__file__).resolve().parents[2] / "doubles" / "kibana"
_CONFIG = "/usr/share/kibana/config/kibana.yml"
_SECRET = "/run/secrets/kibana.yml"
_MEMORY = 1024 * 2**20
_LOGIN = (elasticsearch.KIBANA_USER, SECRETS["kibana_user_password"])


@pytest.fixture(scope="module")
def image(image_set: ImageSet) -> str:
    """The set's Kibana, or the double."""
    if not lacks("kibana", image_set):
        return image_for("kibana", image_set)
    name = "mlops-test/kibana-double:configs"
    base = f"BASE={image_for('airflow', image_set)}"
    command = ["docker", "build", "--quiet", "--tag", name, "--build-arg", base, str(_DOUBLE)]
    built = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stderr
    return name


@pytest.fixture(scope="module")
def server(log_store: LogStore, image: str) -> Iterator[Container]:
    """A running Kibana."""
    container = log_store.network.start(
        "kibana",
        image=image,
        memory=_MEMORY,
        command=kibana.command(_CONFIG, _SECRET),
        environment=kibana.environment(memory_bytes=_MEMORY),
        files={_CONFIG: kibana.render(public_url="http://127.0.0.1:5601/")},
        secrets={
            "kibana.yml": kibana.render_secret(
                kibana_system_password=SECRETS["kibana_system_password"], encryption_key="k" * 32
            )
        },
        port=kibana.PORT,
    )
    wait_for("Kibana", lambda: execute(container, kibana.PROBE)[0] == 0, seconds=300)
    yield container
    container.stop(timeout=15)


def test_the_objects_are_there_after_each_repetition(
    server: Container, apply: Callable[[Mapping[str, Any]], tuple[int, str]]
) -> None:
    for _ in range(2):
        code, log = apply(kibana.setup_plan(stack=STACK))
        assert code == 0, log
    base = address(server, kibana.PORT)
    views = requests.get(f"{base}/api/data_views", auth=_LOGIN, timeout=30).json()["data_view"]
    titles = {view["id"]: view["title"] for view in views}
    assert titles[kibana.DATA_VIEW] == task_logs.data_stream(STACK)
    found = requests.get(f"{base}/api/saved_objects/_find?type=search", auth=_LOGIN, timeout=30).json()
    identifiers = {one["id"] for one in found["saved_objects"] if one["type"] == "search"}
    assert identifiers == {one["id"] for one in kibana.saved_objects()}


def test_nobody_gets_in_without_a_password(server: Container) -> None:
    base = address(server, kibana.PORT)
    assert requests.get(f"{base}/api/data_views", timeout=30).status_code == 401
    wrong = requests.get(f"{base}/api/data_views", auth=("elastic", "wrong"), timeout=30)
    assert wrong.status_code == 401


@pytest.mark.usefixtures("server")
def test_a_search_without_its_data_view_fails_the_step(
    apply: Callable[[Mapping[str, Any]], tuple[int, str]],
) -> None:
    """Kibana answers such an import with 200 and ``success: false``."""
    plan = kibana.setup_plan(stack=STACK)
    search = json.loads(json.dumps(kibana.saved_objects()[0]))
    search["references"][0]["id"] = "no-such-view"
    plan["requests"] = [{**plan["requests"][-1], "file": {"name": "x.ndjson", "lines": [search]}}]
    code, log = apply(plan)
    assert code == 1
    assert "missing_references" in log


def test_keys_differ_by_purpose_and_stay_the_same() -> None:
    made = [
        json.loads(kibana.render_secret(kibana_system_password="p", encryption_key=key * 32)) for key in "aab"
    ]
    keys = [{name: value for name, value in one.items() if name.endswith("encryptionKey")} for one in made]
    assert keys[0] == keys[1]
    assert len(set(keys[0].values()) | set(keys[2].values())) == 6
    assert all(len(value) >= 32 for value in keys[0].values())
