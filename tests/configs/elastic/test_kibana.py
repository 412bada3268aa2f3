"""Whether the step that gives Kibana its objects goes through, and can be repeated.

Where the image set has no Kibana a double stands in (``tests/doubles/kibana``). Against it this decides that
the configuration is complete, that Kibana's user can reach Elasticsearch, and that the requests have the form
of the documentation; whether the real Kibana shows the searches well, only the real one decides.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from conftest import SECRETS, STACK, LogStore
from containers import address, execute, wait_for
from docker.models.containers import Container

from configs import data_views, elasticsearch, kibana
from configs.versions import ImageSet, image_for, lacks

_DOUBLE = Path(__file__).resolve().parents[2] / "doubles" / "kibana"
_CONFIG = "/usr/share/kibana/config/kibana.yml"
_SECRET = "/run/secrets/kibana.yml"
_MEMORY = 1024 * 2**20
_FIELD = r"([a-z_.]+): "
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
    log_store: LogStore, server: Container, apply: Callable[[Mapping[str, Any]], tuple[int, str]]
) -> None:
    for _ in range(2):
        code, log = apply(kibana.setup_plan(stack=STACK))
        assert code == 0, log
    base = address(server, kibana.PORT)
    views = requests.get(f"{base}/api/data_views", auth=_LOGIN, timeout=30).json()["data_view"]
    assert {view["id"]: view["title"] for view in views} == {
        data_views.TASK_LOGS: log_store.stream,
        data_views.CONTAINER_LOGS: log_store.container_stream,
        data_views.DEAD_LETTERS: log_store.dead_letter_stream,
    }
    query = f"{base}/api/saved_objects/_find?type=search&type=dashboard&per_page=100"
    found = requests.get(query, auth=_LOGIN, timeout=30).json()["saved_objects"]
    made = kibana.saved_objects()
    assert {(one["type"], one["id"]) for one in found} == {(one["type"], one["id"]) for one in made}
    assert len({one["id"] for one in made}) == len(made)


def test_every_field_is_one_that_its_stream_can_answer_with(log_store: LogStore) -> None:
    """Columns are fields of the mapping; what is counted, sorted or chosen by is kept for that."""
    streams = {view["id"]: view["title"] for view in kibana.views(STACK)}
    shown, counted = _fields()
    for view in shown | counted:
        fields = shown.get(view, set()) | counted.get(view, set())
        path = f"/{streams[view]}/_field_caps?fields={','.join(sorted(fields))}"
        caps = log_store.ask("GET", path, user=elasticsearch.LOG_READER).json()["fields"]
        assert set(caps) >= fields, view
        for field in counted.get(view, set()):
            assert all(kind["aggregatable"] for kind in caps[field].values()), field


def _fields() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """Data view -> fields that the saved objects show, and data view -> fields that they count or sort by."""
    shown: dict[str, set[str]] = {}
    counted: dict[str, set[str]] = {}
    for one in kibana.saved_objects():
        attributes = one["attributes"]
        if one["type"] == "search":
            view = one["references"][0]["id"]
            source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
            shown.setdefault(view, set()).update(
                attributes["columns"], re.findall(_FIELD, source["query"]["query"])
            )
            shown[view].update(each["meta"]["key"] for each in source["filter"])
            counted.setdefault(view, set()).update(field for field, _ in attributes["sort"])
            continue
        for panel in json.loads(attributes["panelsJSON"]):
            if panel["type"] == "lens":
                lens = panel["embeddableConfig"]["attributes"]
                view = lens["references"][0]["id"]
                (layer,) = lens["state"]["datasourceStates"]["formBased"]["layers"].values()
                fields = {column["sourceField"] for column in layer["columns"].values()} - {"___records___"}
                counted.setdefault(view, set()).update(fields)
                shown.setdefault(view, set()).update(re.findall(_FIELD, lens["state"]["query"]["query"]))
        views = {each["name"]: each["id"] for each in one["references"]}
        for name, control in json.loads(attributes["controlGroupInput"]["panelsJSON"]).items():
            view = views[f"controlGroup_{name}:optionsListDataView"]
            counted.setdefault(view, set()).add(control["explicitInput"]["fieldName"])
    return shown, counted


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


@pytest.mark.usefixtures("server")
def test_a_dashboard_that_contradicts_itself_fails_the_step(
    apply: Callable[[Mapping[str, Any]], tuple[int, str]],
) -> None:
    """The double would notice if panels, references and charts did not fit each other."""
    plan = kibana.setup_plan(stack=STACK)
    dashboard = json.loads(json.dumps(kibana.saved_objects()[-1]))
    dashboard["references"].pop()
    plan["requests"][-1]["file"] = {"name": "x.ndjson", "lines": [*kibana.saved_objects()[:-1], dashboard]}
    code, log = apply(plan)
    assert code == 1
    assert "optionsListDataView" in log


def test_keys_differ_by_purpose_and_stay_the_same() -> None:
    made = [
        json.loads(kibana.render_secret(kibana_system_password="p", encryption_key=key * 32)) for key in "aab"
    ]
    keys = [{name: value for name, value in one.items() if name.endswith("encryptionKey")} for one in made]
    assert keys[0] == keys[1]
    assert len(set(keys[0].values()) | set(keys[2].values())) == 6
    assert all(len(value) >= 32 for value in keys[0].values())
