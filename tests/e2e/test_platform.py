"""The whole platform on the real engine, deployed once from nothing.

Decides: that one `up` makes every service healthy, and that metrics and logs of a real pipeline are found
where users look for them.
Cannot decide: behaviour of images other than the set in use, and of a Kibana that is only a double here.
The tests build on each other in the order of this file.
"""

import json
import time
from pathlib import Path

import pytest
import requests
from deployment import Deployment, wait_for
from platform_client import Platform, of_run

_PIPELINE = "breast_cancer"
_FAILING = "fails_on_purpose"
PUT_THERE = "put_there_by_hand"
_SCRAPED_SECONDS = 30


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
        "jaeger",
        "alertmanager",
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

    written = platform.written_lines(_PIPELINE, run)
    assert {task for task, _, _ in written} == tasks
    found = wait_for(
        "all log lines of the run",
        lambda: (hits := platform.logs(of_run(run))) and len(hits) >= len(written) and hits,
    )
    stored = sorted(
        (hit["airflow"]["task_id"], hit["airflow"]["try_number"], hit["message"].strip()) for hit in found
    )
    assert stored == sorted((task, attempt, message.strip()) for task, attempt, message in written)
    for hit in found:
        ids = hit["airflow"]
        assert (ids["dag_id"], ids["run_id"], ids["map_index"]) == (_PIPELINE, run, -1)
        assert hit["log_id"] == f"{_PIPELINE}-{ids['task_id']}-{run}--1-{ids['try_number']}"
        assert isinstance(hit["offset"], int)
        assert hit["log"]["level"]
        assert hit["@timestamp"]


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
        lambda: platform.logs({"bool": {"filter": [of_run(run), {"term": {"log.level": "error"}}]}}),
    )
    assert any("on purpose" in json.dumps(error) for error in errors), errors
    # Seen, and done with: the alert about it is the next file's.
    platform.mark_success(_FAILING, run)


def test_a_new_dag_file_is_seen(stack: Deployment, platform: Platform) -> None:
    """A file put into the DAG folder is known to Airflow within 30 s."""
    text = (
        "from airflow.sdk import DAG\n"
        "from airflow.providers.standard.operators.empty import EmptyOperator\n\n"
        f'with DAG("{PUT_THERE}", schedule=None):\n    EmptyOperator(task_id="only")\n'
    )
    (Path(stack.program) / "pipelines" / "dags" / f"{PUT_THERE}.py").write_text(text)
    started = time.monotonic()
    wait_for("the new DAG", lambda: PUT_THERE in platform.dag_ids(), seconds=30)
    assert time.monotonic() - started < 30


def test_kibana_has_its_objects(platform: Platform) -> None:
    """The data view and the saved search are there for the user of the outputs."""
    base, login = platform.endpoints["kibana"], platform.login("kibana")
    views = requests.get(f"{base}/api/data_views", auth=login, timeout=30)
    views.raise_for_status()
    titles = [view["title"] for view in views.json()["data_view"]]
    assert f"logs-airflow.task-{platform.stack.stack}" in titles
