"""Runs tasks of DAG runs under Airflow's own supervisor, without a database.

Each task is forked, started, watched and reported as an executor would have it done, listeners included. An
answering machine stands in for the API server: it describes the run, keeps what tasks hand each other, and
says yes to the rest. The first argument is a list of plans in JSON, one for each run; the line
``RESULT [...]`` says what came of them.
"""

import json
import socket
import sys
import uuid
from pathlib import Path

import httpx
from airflow.executors.workloads import BundleInfo
from airflow.sdk.api.client import Client
from airflow.sdk.api.datamodels._generated import TaskInstance
from airflow.sdk.execution_time.supervisor import supervise_task

_NOON = "2026-01-01T12:00:00Z"
_LOGS = Path("/opt/airflow/logs")
_STATSD = ("127.0.0.1", 9125)


class AnsweringMachine(httpx.BaseTransport):
    """The execution API of a server that knows one run; ``state`` is what the last task reported."""

    def __init__(self, dag_id, run_id, conf):
        self._run = {
            "dag_id": dag_id,
            "run_id": run_id,
            "run_type": "manual",
            "state": "running",
            "conf": conf,
            "consumed_asset_events": [],
            **dict.fromkeys(("logical_date", "start_date", "run_after"), _NOON),
            **dict.fromkeys(("data_interval_start", "data_interval_end", "end_date", "partition_key")),
        }
        self._handed_over = {}
        self.state = None

    def handle_request(self, request):
        """Answer one request."""
        path, body = request.url.path, request.read()
        answer = {"ok": True}
        if path.endswith("/run"):
            answer = {"dag_run": self._run, "max_tries": 0, "should_retry": False}
        elif path.endswith("/state"):
            self.state = json.loads(body)["state"]
        elif "/xcoms/" in path and request.method == "POST":
            self._handed_over[path] = json.loads(body)
        elif "/xcoms/" in path and request.method == "GET":
            answer = {"key": path.rpartition("/")[2], "value": self._handed_over[path]}
        return httpx.Response(200, json=answer)


def _received(receiver):
    """Return the StatsD lines in the socket's buffer, which is why no thread is needed: forks stay clean."""
    lines = []
    while True:
        try:
            lines += receiver.recv(65536).decode().splitlines()
        except BlockingIOError:
            return lines


def _run_task(plan, task_id, machine, receiver):
    machine.state = None
    log = f"{plan['run_id']}/{task_id}.log"
    code = supervise_task(
        ti=TaskInstance(
            id=uuid.uuid4(),
            task_id=task_id,
            dag_id=plan["dag_id"],
            run_id=plan["run_id"],
            try_number=1,
            dag_version_id=uuid.uuid4(),
            context_carrier=plan.get("carrier"),
        ),
        bundle_info=BundleInfo(name="dags-folder"),
        dag_rel_path=plan["file"],
        token="",
        client=Client(base_url="http://nobody.invalid/execution/", token="", transport=machine),
        log_path=log,
    )
    return {
        "code": code,
        "state": machine.state,
        "log": [json.loads(line) for line in (_LOGS / log).read_text().splitlines()],
        "statsd": _received(receiver),
    }


def run(plan):
    """Run the plan's tasks one after the other; return what is known of each."""
    machine = AnsweringMachine(plan["dag_id"], plan["run_id"], plan.get("conf", {}))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(_STATSD)
        receiver.setblocking(False)
        return {task_id: _run_task(plan, task_id, machine, receiver) for task_id in plan["tasks"]}


if __name__ == "__main__":
    print("RESULT " + json.dumps([run(plan) for plan in json.loads(sys.argv[1])]))
