"""The signals of the deployed platform: alerts at a receiver, traces, resources, drift, logs, every panel.

Decides: that a failure, whatever its kind, and drifting data reach a receiver once, with the right names and
links, and clear; that no rule and no panel asks for what the running stack does not have. Cannot decide: what
mail, Slack and PagerDuty do with what they are sent, nor how the pages look.
The tests use the stack of the file before them and leave it as healthy as they found it.
"""

import importlib
import json
import pkgutil
import re
import time
from typing import Any

import pytest
import requests
from deployment import Deployment, wait_for
from platform_client import Platform, of_run

import configs.alerts
from configs.links import Links
from measure.receiver import Receiver

_PIPELINE = "breast_cancer"
_FAILING = "fails_on_purpose"
_TOLD_SECONDS = 45
# A warning may join a group that somebody was told of lately, and waits for its next message then.
_GROUPED_SECONDS = 160
_CLEARED_SECONDS = 60


def _firing(platform: Platform) -> set[str]:
    query = 'ALERTS{alertstate="firing", alertname!="Watchdog"}'
    return {each["metric"]["alertname"] for each in platform.prometheus(query)}


@pytest.mark.usefixtures("told")
def test_a_healthy_stack_is_silent(platform: Platform) -> None:
    """After a good run nothing fires but the watchdog, and the watchdog does."""
    _, state = platform.run_dag(_PIPELINE)
    assert state == "success"
    deadline = time.monotonic() + _CLEARED_SECONDS
    while (firing := _firing(platform)) and time.monotonic() < deadline:
        time.sleep(1)
    assert not firing
    assert platform.prometheus('ALERTS{alertname="Watchdog", alertstate="firing"}')


def test_a_first_failure_is_told_and_clears(platform: Platform, told: Receiver) -> None:
    """The receiver gets one message that names DAG, task and run, with links; it clears when the run does."""
    run, state = platform.run_dag(_FAILING)
    assert state == "failed"
    first = _told(told, "AirflowTaskFailed", run)
    labels, notes = first["labels"], first["annotations"]
    assert (labels["dag_id"], labels["task_id"], labels["severity"]) == (_FAILING, "divide", "critical")
    assert _FAILING in notes["summary"]
    assert "divide" in notes["summary"]
    assert notes["runbook"] == "docs/runbooks/failures.md#airflowtaskfailed"
    for name in ("run", "task"):
        assert notes[name].startswith(f"{platform.endpoints['airflow']}/dags/{_FAILING}/runs/"), name
        assert requests.utils.quote(run, safe="") in notes[name]
    assert notes["logs"].startswith(f"{platform.endpoints['kibana']}/app/discover#/")
    trace = notes["trace"].rpartition("/")[2]
    assert re.fullmatch(r"[0-9a-f]{32}", trace), notes["trace"]

    again, _ = platform.run_dag(_FAILING)
    assert _told(told, "AirflowTaskFailed", again)["labels"]["run_id"] == again

    platform.mark_success(_FAILING, again)
    cleared = lambda: told.told("resolved", "AirflowTaskFailed", run_id=again)  # noqa: E731
    wait_for("the message that it is over", cleared, seconds=_CLEARED_SECONDS)
    failures = {"AirflowTaskFailed", "AirflowDagRunFailed"}
    wait_for("silence", lambda: failures.isdisjoint(_firing(platform)), seconds=_CLEARED_SECONDS)
    assert not told.told("firing", "AirflowDagRunFailed"), "inhibited: the task's own alert says it all"
    assert [len(told.told("firing", "AirflowTaskFailed", run_id=each)) for each in (run, again)] == [1, 1]


def _told(told: Receiver, alert: str, run: str) -> dict[str, Any]:
    """The one alert of that name and run that the receiver has got."""
    arrived = lambda: told.told("firing", alert, run_id=run)  # noqa: E731
    found = wait_for(f"{alert} at the receiver", arrived, seconds=_TOLD_SECONDS)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize("way", ["fail_exception", "sensor_timeout", "out_of_memory", "killed"])
def test_every_way_to_fail_is_noticed(platform: Platform, told: Receiver, way: str) -> None:
    """A task that fails without Airflow's own failure counter is told of like any other."""
    run, state = platform.run_dag(_FAILING, conf={"way": way})
    assert state == "failed"
    assert _told(told, "AirflowTaskFailed", run)["labels"]["dag_id"] == _FAILING
    platform.mark_success(_FAILING, run)


def test_drift_is_told_and_clears(platform: Platform, told: Receiver) -> None:
    """Data from a badly calibrated instrument fires, naming features; normal data clears it."""
    _, state = platform.run_dag(_PIPELINE, conf={"drift": True})
    assert state == "success"
    fired = wait_for("drift", lambda: told.told("firing", "FeatureDrift"), seconds=_GROUPED_SECONDS)
    assert {each["labels"]["pipeline"] for each in fired} == {_PIPELINE}
    assert all(each["labels"]["feature"] for each in fired)
    _, state = platform.run_dag(_PIPELINE)
    assert state == "success"
    wait_for("end of the drift", lambda: "FeatureDrift" not in _firing(platform), seconds=_CLEARED_SECONDS)


def test_a_run_is_one_trace(platform: Platform) -> None:
    """The trace of a run is found by its run id; it has a span for the run and two for each of its tasks."""
    run, state = platform.run_dag(_PIPELINE)
    assert state == "success"
    # In quotes: Jaeger takes a bare value for a regular expression.
    tags = json.dumps({"airflow.dag_run.run_id": f'"{run}"'})

    def found() -> list[dict[str, Any]]:
        answer = requests.get(
            f"{platform.endpoints['jaeger']}/api/traces",
            params={"service": "airflow", "tags": tags, "lookback": "1h"},
            timeout=30,
        )
        answer.raise_for_status()
        traces = answer.json()["data"]
        return traces if traces and len(traces[0]["spans"]) >= 11 else []

    traces = wait_for("the whole trace", found)
    assert len(traces) == 1
    names = {span["operationName"] for span in traces[0]["spans"]}
    assert f"dag_run.{_PIPELINE}" in names
    assert {"worker.train", "task_run.train"} <= names


def test_what_a_task_consumed_is_known(platform: Platform) -> None:
    """After its end each task's processor time and peak memory stay, and its live figures are gone."""
    tasks = {"ingest", "features", "train", "evaluate", "batch_predict"}
    for name in ("airflow_task_resources_cpu_time_count", "airflow_task_resources_memory_peak_bytes"):
        series = platform.prometheus(f'{name}{{dag_id="{_PIPELINE}"}}')
        assert {each["metric"]["task_id"] for each in series} == tasks, name
        assert all(float(each["value"][1]) > 0 for each in series), name
    live = f'airflow_task_live_memory_bytes{{dag_id="{_PIPELINE}"}}'
    wait_for("end of the live figures", lambda: not platform.prometheus(live), seconds=60)


def test_every_service_logs_into_the_store(stack: Deployment, platform: Platform) -> None:
    """Each container that has written something is found by its service's name, and no other stack's is."""
    written = {service for service, container in stack.containers().items() if container.logs(tail=1)}

    def missing() -> set[str]:
        return written - platform.logging_services()

    wait_for(f"logs of {written}", lambda: not missing(), seconds=90)
    assert platform.logging_services() <= set(stack.containers())


def test_the_log_survives_its_file(platform: Platform) -> None:
    """With the task's local log gone, Airflow's own pages show it from the log store, line by line."""
    run, state = platform.run_dag(_PIPELINE)
    assert state == "success"
    written = [message for task, _, message in platform.written_lines(_PIPELINE, run) if task == "train"]
    lines = {"bool": {"filter": [of_run(run), {"term": {"airflow.task_id": "train"}}]}}
    wait_for("lines in the store", lambda: len(platform.logs(lines)) >= len(written))
    folder = f"/opt/airflow/logs/dag_id={_PIPELINE}/run_id={run}/task_id=train"
    platform.exec("airflow-scheduler", "rm", "-r", folder)
    shown = platform.task_log(_PIPELINE, run, "train")
    # Airflow puts before them where it has read them.
    assert shown[-len(written) :] == written


def test_every_panel_answers(platform: Platform) -> None:
    """Each query of each panel, sent through Grafana, answers with data, but for panels that say when not."""
    boards = [each["uid"] for each in platform.grafana("/api/search", params={"type": "dash-db"})]
    assert len(boards) >= 6
    empty, asked = [], 0
    for uid in boards:
        board = platform.grafana(f"/api/dashboards/uid/{uid}")["dashboard"]
        for panel in board["panels"]:
            for target in panel.get("targets", ()):
                asked += 1
                frames = platform.panel(panel, target)
                if not frames and "Empty while" not in panel["description"]:
                    asked_for = target.get("expr") or target["query"]
                    empty.append(f"{board['title']} / {panel['title']}: {asked_for}")
    assert asked > 80
    assert not empty, "\n".join(empty)


def test_no_rule_names_a_metric_that_is_not_there(platform: Platform) -> None:
    """Every selector of every rule has had series, or its metric is marked as born by its first event."""
    rules = platform.rules()
    assert len(rules) >= 80
    marked = [_matchers(selector) for selector in _born_by_event()]
    absent = [
        f"{rule['name']}: {selector}"
        for rule in rules
        for selector in sorted(platform.selectors(rule["query"]))
        if not any(all(matcher in selector for matcher in matchers) for matchers in marked)
        and not platform.prometheus(f"count(last_over_time({selector}[2h]))")
    ]
    assert not absent, "\n".join(absent)


def test_metrics_born_by_an_event_are_airflows_own(platform: Platform) -> None:
    """A metric of Airflow that no event has shown yet is known to its own page or to Airflow's registry.

    Those of other servers are provoked in ``tests/configs``.
    """
    script = (
        "import re, yaml, pathlib, airflow\n"
        "found = list(pathlib.Path(airflow.__path__[0]).rglob('metrics_template.yaml'))\n"
        "found += list(pathlib.Path(airflow.__path__[0]).parent.rglob('metrics_template.yaml'))\n"
        "names = [each['name'] for each in yaml.safe_load(found[0].read_text())['metrics']]\n"
        "print('\\n'.join(re.sub('[.-]', '_', name) for name in names))\n"
    )
    registry = set(platform.exec("airflow-scheduler", "python", "-c", script).split())
    assert len(registry) > 100
    marked = {
        name for selector in _born_by_event() if (name := selector.partition("{")[0]).startswith("airflow_")
    }
    unseen = {metric for metric in marked if not platform.is_known(metric)}
    names = {re.sub(r"_(count|sum|bucket)$", "", metric.removeprefix("airflow_")) for metric in unseen}
    assert names <= registry


def _matchers(selector: str) -> list[str]:
    """The matchers of a selector such as ``metric{label="value"}``."""
    metric, _, rest = selector.partition("{")
    return [f'__name__="{metric}"', *filter(None, rest.rstrip("}").split(","))]


def _born_by_event() -> set[str]:
    """The metrics, and selectors, that the rules mark, over all components."""
    nowhere = Links(stack="", airflow="", prometheus="")
    modules = [
        importlib.import_module(f"configs.alerts.{module.name}")
        for module in pkgutil.iter_modules(configs.alerts.__path__)
    ]
    rules = [rule for module in modules for group in module.groups(nowhere) for rule in group.rules]
    return {metric for rule in rules for metric in rule.born_by_event}


def test_a_killed_scheduler_is_noticed(stack: Deployment, told: Receiver) -> None:
    """A SIGKILL of the scheduler is told of, and the scheduler comes back by itself."""
    # From inside: a container that the engine is told to kill is one that the engine was told to stop.
    everything = "import os, signal; os.kill(-1, signal.SIGKILL)"
    stack.containers()["airflow-scheduler"].exec_run(["python", "-c", everything])
    fired = wait_for(
        "the alert",
        lambda: told.told("firing", "ContainerRestarted", service="airflow-scheduler"),
        seconds=_GROUPED_SECONDS,
    )
    assert "airflow-scheduler" in fired[0]["annotations"]["summary"]
    healthy = lambda: stack.containers()["airflow-scheduler"].attrs["State"]["Health"]["Status"]  # noqa: E731
    wait_for("the scheduler's health", lambda: healthy() == "healthy", seconds=120)


def test_the_store_of_logs_may_be_away(stack: Deployment, platform: Platform) -> None:
    """While Elasticsearch is away a run is not disturbed, and its lines come in afterwards."""
    elasticsearch = stack.containers()["elasticsearch"]
    elasticsearch.pause()
    try:
        run, state = platform.run_dag(_PIPELINE)
        assert state == "success"
    finally:
        elasticsearch.unpause()
    written = platform.written_lines(_PIPELINE, run)
    started = time.monotonic()
    wait_for("the lines", lambda: len(platform.logs(of_run(run))) >= len(written), seconds=90)
    assert time.monotonic() - started < 90
