"""The whole platform on the real engine, deployed once from nothing and gone at the end.

Decides: that one `up` makes every service healthy, that metrics and logs of a real pipeline are found where
users look for them, that updates touch what they must and nothing else, and that `destroy` leaves nothing.
Cannot decide: behaviour of images other than the set in use, and of a Kibana that is only a double here.
The tests build on each other in the order of this file.
"""

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import requests
from deployment import Deployment, wait_for
from docker.models.containers import Container
from platform_client import Platform
from stack_files import REPOSITORY

_PIPELINE = "breast_cancer"
_FAILING = "fails_on_purpose"
_PUT_THERE = "put_there_by_hand"
_SCRAPED_SECONDS = 30
_RANDOM = {
    "random:index/randomPassword:RandomPassword": "result",
    "random:index/randomBytes:RandomBytes": "base64",
}


def _selector(run: str) -> dict[str, Any]:
    return {"term": {"airflow.run_id": run}}


def test_up_makes_every_service_healthy(stack: Deployment, platform: Platform) -> None:
    """After one `up` from nothing each service's own health check passes, and each step has ended with 0."""
    assert set(platform.endpoints) >= {"airflow", "prometheus", "grafana", "elasticsearch", "kibana"}
    for service, container in stack.containers().items():
        state = container.attrs["State"]
        if container.labels["mlops.role"] == "one-shot":
            assert (state["Status"], state["ExitCode"]) == ("exited", 0), service
        else:
            assert state["Health"]["Status"] == "healthy", service
            assert container.attrs["RestartCount"] == 0, service
            assert container.attrs["HostConfig"]["PidsLimit"] > 0, service


@pytest.mark.usefixtures("platform")
def test_a_second_preview_is_empty(stack: Deployment) -> None:
    """Nothing that the provider reads back differs from what the program says."""
    preview = stack.pulumi("preview", "--diff", "--expect-no-changes")
    assert preview.code == 0, preview.text
    refreshed = stack.pulumi("preview", "--refresh", "--diff", "--expect-no-changes")
    assert refreshed.code == 0, refreshed.text


def test_endpoints_ask_for_a_login(platform: Platform) -> None:
    """Without a password nobody gets in; with the one from the outputs the user does."""
    protected = {"elasticsearch": "/_search", "grafana": "/api/datasources", "airflow": "/api/v2/dags"}
    for service, path in protected.items():
        answer = requests.get(platform.endpoints[service] + path, timeout=30)
        assert answer.status_code in (401, 403), service
    assert platform.logs({"match_all": {}}) is not None
    assert {source["type"] for source in platform.grafana("/api/datasources")} == {
        "prometheus",
        "elasticsearch",
    }
    assert platform.dag_ids() >= {_PIPELINE, _FAILING}


def test_a_log_reader_cannot_write(platform: Platform) -> None:
    """The user that the outputs hand out may read task logs and do nothing else."""
    base, login = platform.endpoints["elasticsearch"], platform.login("elasticsearch")
    data_stream = f"{base}/logs-airflow.task-{platform.stack.stack}"
    write = requests.post(f"{data_stream}/_doc", json={"message": "x"}, auth=login, timeout=30)
    delete = requests.post(
        f"{data_stream}/_delete_by_query", json={"query": {"match_all": {}}}, auth=login, timeout=30
    )
    users = requests.get(f"{base}/_security/user", auth=login, timeout=30)
    assert {write.status_code, delete.status_code, users.status_code} == {403}


def test_the_pipeline_is_seen(platform: Platform) -> None:
    """A real run succeeds; its metrics carry dag and task, its log lines are stored once, with their ids."""
    run, state = platform.run_dag(_PIPELINE)
    assert state == "success"
    tasks = {
        each["task_id"]
        for each in platform.airflow(
            f"/dags/{_PIPELINE}/dagRuns/{requests.utils.quote(run, safe='')}/taskInstances"
        )["task_instances"]
    }
    assert len(tasks) >= 5

    finished = f'airflow_ti_finish{{dag_id="{_PIPELINE}",state="success"}}'
    durations = f'airflow_task_duration_count{{dag_id="{_PIPELINE}"}}'
    for query in (finished, durations):
        wait_for(
            query,
            lambda query=query: {each["metric"]["task_id"] for each in platform.prometheus(query)} >= tasks,
            seconds=_SCRAPED_SECONDS,
        )
    frames = platform.grafana_query(
        {
            "datasource": {"uid": "prometheus"},
            "expr": finished,
            "instant": True,
            "refId": "A",
        }
    )["frames"]
    assert {frame["schema"]["fields"][1]["labels"]["task_id"] for frame in frames} >= tasks

    written = _written_lines(platform, _PIPELINE, run)
    assert {task for task, _, _ in written} == tasks
    found = wait_for(
        "all log lines of the run",
        lambda: (hits := platform.logs(_selector(run))) and len(hits) >= len(written) and hits,
    )
    stored = sorted(
        (hit["airflow"]["task_id"], hit["airflow"]["try_number"], _key(hit["message"])) for hit in found
    )
    assert stored == sorted((task, attempt, _key(message)) for task, attempt, message in written)
    for hit in found:
        ids = hit["airflow"]
        assert (ids["dag_id"], ids["run_id"], ids["map_index"]) == (_PIPELINE, run, -1)
        assert hit["log_id"] == f"{_PIPELINE}-{ids['task_id']}-{run}--1-{ids['try_number']}"
        assert isinstance(hit["offset"], int)
        assert hit["log"]["level"]
        assert hit["@timestamp"]


def _key(message: str) -> str:
    return message.strip()


def _written_lines(platform: Platform, dag: str, run: str) -> list[tuple[str, int, str]]:
    """Task, try and message of each line in the run's log files, read where Airflow wrote them."""
    script = (
        "import json, pathlib, sys\n"
        "for path in sorted(pathlib.Path(sys.argv[1]).rglob('attempt=*.log')):\n"
        "    for line in path.read_text().splitlines():\n"
        "        print(json.dumps([str(path), line]))\n"
    )
    folder = f"/opt/airflow/logs/dag_id={dag}/run_id={run}"
    lines = []
    for row in platform.exec("airflow-scheduler", "python3", "-c", script, folder).splitlines():
        path, line = json.loads(row)
        task = re.search(r"/task_id=([^/]+)/", path)
        attempt = re.search(r"attempt=(\d+)\.log$", path)
        assert task
        assert attempt
        lines.append((task[1], int(attempt[1]), json.loads(line)["event"]))
    return lines


def test_a_failed_run_shows_as_failed(platform: Platform) -> None:
    """The DAG that fails on purpose is failed in Airflow, in the metrics and, with its error, in the logs."""
    run, state = platform.run_dag(_FAILING)
    assert state == "failed"
    wait_for(
        "failed task in Prometheus",
        lambda: platform.prometheus(f'airflow_ti_finish{{dag_id="{_FAILING}",state="failed"}} > 0'),
        seconds=_SCRAPED_SECONDS,
    )
    errors = wait_for(
        "error in Elasticsearch",
        lambda: platform.logs({"bool": {"filter": [_selector(run), {"term": {"log.level": "error"}}]}}),
    )
    assert any("on purpose" in json.dumps(error) for error in errors), errors


def test_one_setting_replaces_its_containers_only(stack: Deployment, platform: Platform) -> None:
    """A changed setting of Prometheus replaces Prometheus, which keeps its data, and nothing else."""
    before = stack.container_ids()
    stack.set("prometheus.retention_time", "10d")
    outcome = stack.up()
    assert outcome.code == 0, outcome.text
    after = stack.container_ids()
    assert {service for service in before if before[service] != after.get(service)} == {"prometheus"}
    kept = platform.prometheus(f'airflow_ti_finish{{dag_id="{_PIPELINE}"}}')
    assert kept, "data must outlive the container"


def test_removed_containers_come_back_and_lose_nothing(stack: Deployment, platform: Platform) -> None:
    """`up --refresh` makes removed containers anew: no log line twice, and metrics find the new address.

    A stand-in takes the exporter's old address first, so that Airflow's long-running processes must follow.
    """
    shipped = len(platform.logs({"match_all": {}}))
    old = stack.containers()
    for service in ("filebeat", "statsd-exporter"):
        old[service].remove(force=True, v=True)
    with stack.stand_in(image=old["postgres"].image.id):
        outcome = stack.pulumi("up", "--yes", "--skip-preview", "--refresh")
        assert outcome.code == 0, outcome.text
        assert _address(stack, "statsd-exporter") != _first_address(old["statsd-exporter"])
        heartbeat = "airflow_scheduler_heartbeat"
        wait_for(heartbeat, lambda: platform.prometheus(f"increase({heartbeat}[15s]) > 0"))

    run, _ = platform.run_dag(_FAILING)
    written = len(_written_lines(platform, _FAILING, run))
    wait_for("lines of the new run", lambda: len(platform.logs(_selector(run))) >= written)
    assert len(platform.logs({"match_all": {}})) == shipped + written


def _address(stack: Deployment, service: str) -> str:
    return _first_address(stack.containers()[service])


def _first_address(container: Container) -> str:
    (endpoint,) = (
        each for each in container.attrs["NetworkSettings"]["Networks"].values() if each["IPAddress"]
    )
    return endpoint["IPAddress"]


def test_a_new_dag_file_is_seen(stack: Deployment, platform: Platform) -> None:
    """A file put into the DAG folder is known to Airflow within 30 s."""
    text = (
        "from airflow.sdk import DAG\n"
        "from airflow.providers.standard.operators.empty import EmptyOperator\n\n"
        f'with DAG("{_PUT_THERE}", schedule=None):\n    EmptyOperator(task_id="only")\n'
    )
    (Path(stack.program) / "pipelines" / "dags" / f"{_PUT_THERE}.py").write_text(text)
    started = time.monotonic()
    wait_for("the new DAG", lambda: _PUT_THERE in platform.dag_ids(), seconds=30)
    assert time.monotonic() - started < 30


def test_kibana_has_its_objects(platform: Platform) -> None:
    """The data view and the saved search are there for the user of the outputs."""
    base, login = platform.endpoints["kibana"], platform.login("kibana")
    views = requests.get(f"{base}/api/data_views", auth=login, timeout=30)
    views.raise_for_status()
    titles = [view["title"] for view in views.json()["data_view"]]
    assert f"logs-airflow.task-{platform.stack.stack}" in titles


def test_no_secret_is_to_be_seen(stack: Deployment, platform: Platform, tmp_path: Path) -> None:
    """No generated secret stands in what inspect, the logs or the state show in plain text."""
    secrets = _generated_secrets(stack, tmp_path / "shown.json")
    assert secrets >= {login["password"] for login in platform.credentials.values()}
    assert all(len(secret) >= 16 for secret in secrets)
    state = stack.home / "state"
    texts = {
        str(path.relative_to(state)): path.read_text(errors="replace")
        for path in state.rglob("*")
        if path.is_file()
    }
    assert any(name.endswith(".bak") for name in texts), texts.keys()
    assert any("/history/" in name for name in texts), texts.keys()
    texts["stack export"] = stack.pulumi("stack", "export").text
    for service, container in stack.containers().items():
        texts[f"inspect of {service}"] = json.dumps(container.attrs)
        texts[f"log of {service}"] = container.logs().decode(errors="replace")
    assert [name for name, text in texts.items() if any(secret in text for secret in secrets)] == []


def _generated_secrets(stack: Deployment, shown: Path) -> set[str]:
    """Every secret that the stack has made, random bytes in both alphabets and without padding."""
    outcome = stack.pulumi("stack", "export", "--show-secrets", "--file", str(shown))
    assert outcome.code == 0, outcome.text
    resources = json.loads(shown.read_text())["deployment"]["resources"]
    outputs = {kind: [each["outputs"] for each in resources if each["type"] == kind] for kind in _RANDOM}
    passwords, keys = ([_revealed(each[_RANDOM[kind]]) for each in outputs[kind]] for kind in _RANDOM)
    assert passwords
    assert keys
    bare = {key.rstrip("=") for key in keys}
    return {*passwords, *bare, *(key.replace("+", "-").replace("/", "_") for key in bare)}


def _revealed(output: str | dict[str, str]) -> str:
    return json.loads(output["plaintext"]) if isinstance(output, dict) else output


def test_destroy_leaves_nothing(stack: Deployment, platform: Platform) -> None:
    """No container, network or volume of the stack is left, and no file in the folders that were mounted."""
    assert platform.endpoints
    outcome = stack.pulumi("destroy", "--yes", "--skip-preview")
    assert outcome.code == 0, outcome.text
    assert stack.leftovers() == []
    pipelines = Path(stack.program) / "pipelines"
    made = {path.name for path in pipelines.rglob("*")} - {
        path.name for path in (REPOSITORY / "pipelines").rglob("*")
    }
    assert made == {f"{_PUT_THERE}.py"}
