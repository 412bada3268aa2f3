"""The deployed platform from a user's side: what its outputs name, asked over HTTP and ``docker exec``."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import requests
from deployment import Deployment, wait_for

from configs.log_exporter import CANARY_DAG

_HTTP_SECONDS = 30


def of_run(run: str) -> dict[str, Any]:
    """The query of a run's task log lines."""
    return {"term": {"airflow.run_id": run}}


class Platform:
    """Endpoints and logins of a deployed stack, and the few questions that the tests ask there."""

    def __init__(self, stack: Deployment) -> None:
        self.stack = stack
        shown = stack.pulumi("stack", "output", "--json", "--show-secrets")
        assert shown.code == 0, shown.text
        outputs = json.loads(shown.text)
        self.endpoints: dict[str, str] = outputs["endpoints"]
        self.credentials: dict[str, dict[str, str]] = outputs["credentials"]
        self.versions: dict[str, str] = outputs["versions"]

    def login(self, service: str) -> tuple[str, str]:
        """User name and password of a service."""
        return self.credentials[service]["username"], self.credentials[service]["password"]

    def exec(self, service: str, *command: str) -> str:
        """Standard output of a command in a service's container; fails with its output."""
        result = self.stack.containers()[service].exec_run(list(command), demux=True)
        out, err = ((part or b"").decode(errors="replace") for part in result.output)
        assert result.exit_code == 0, out + err
        return out

    def prometheus(self, query: str) -> list[dict[str, Any]]:
        """The instant vector that Prometheus answers."""
        return self._get("prometheus", "/api/v1/query", params={"query": query})["data"]["result"]

    def grafana(self, path: str, **parameters: Any) -> Any:
        """A GET on Grafana's API as its administrator."""
        return self._get("grafana", path, auth=self.login("grafana"), **parameters)

    def grafana_query(self, query: dict[str, Any], *, minutes: int = 60) -> dict[str, Any]:
        """The frames of one query sent through Grafana's data source API."""
        now = int(datetime.now(UTC).timestamp() * 1000)
        answer = requests.post(
            f"{self.endpoints['grafana']}/api/ds/query",
            auth=self.login("grafana"),
            json={"from": str(now - minutes * 60_000), "to": str(now), "queries": [{"refId": "A", **query}]},
            timeout=_HTTP_SECONDS,
        )
        answer.raise_for_status()
        return answer.json()["results"][query.get("refId", "A")]

    def logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """The task log documents that match, oldest first, at most 10,000, as the user who may read them.

        Those of the canary that watches the shipping are left out.
        """
        canary = {"term": {"airflow.dag_id": CANARY_DAG}}
        lines = {"bool": {"filter": [query], "must_not": [canary]}}
        answer = requests.post(
            f"{self.endpoints['elasticsearch']}/logs-airflow.task-{self.stack.stack}/_search",
            auth=self.login("elasticsearch"),
            json={"query": lines, "size": 10_000, "sort": [{"@timestamp": "asc"}]},
            timeout=_HTTP_SECONDS,
        )
        answer.raise_for_status()
        return [hit["_source"] for hit in answer.json()["hits"]["hits"]]

    def run_dag(
        self, dag: str, *, conf: dict[str, Any] | None = None, seconds: float = 300
    ) -> tuple[str, str]:
        """Trigger a DAG with parameters and wait for the run's end: its id and state."""
        run = f"e2e__{dag}__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f+00:00}"
        body = {"dag_run_id": run, "logical_date": None, "conf": conf or {}}
        self._airflow("POST", f"/dags/{dag}/dagRuns", json=body)
        return run, wait_for(f"end of {dag}", lambda: self._ended(dag, run), seconds=seconds)

    def written_lines(self, dag: str, run: str) -> list[tuple[str, int, str]]:
        """Task, try and message of each line in the run's log files, read where Airflow wrote them."""
        script = (
            "import json, pathlib, sys\n"
            "for path in sorted(pathlib.Path(sys.argv[1]).rglob('attempt=*.log')):\n"
            "    for line in path.read_text().splitlines():\n"
            "        print(json.dumps([str(path), line]))\n"
        )
        folder = f"/opt/airflow/logs/dag_id={dag}/run_id={run}"
        lines = []
        for row in self.exec("airflow-scheduler", "python3", "-c", script, folder).splitlines():
            path, line = json.loads(row)
            task = re.search(r"/task_id=([^/]+)/", path)
            attempt = re.search(r"attempt=(\d+)\.log$", path)
            assert task
            assert attempt
            lines.append((task[1], int(attempt[1]), json.loads(line)["event"]))
        return lines

    def dag_ids(self) -> set[str]:
        """The DAGs that Airflow knows."""
        return {each["dag_id"] for each in self.airflow("/dags", params={"limit": 100})["dags"]}

    def mark_success(self, dag: str, run: str) -> None:
        """Mark a run as a success, as a person would who has looked at it."""
        self._airflow("PATCH", f"{_run_path(dag, run)}", json={"state": "success"})

    def task_log(self, dag: str, run: str, task: str, *, attempt: int = 1) -> list[str]:
        """The messages of a task's log as Airflow's own pages show them."""
        answer = self.airflow(f"{_run_path(dag, run)}/taskInstances/{task}/logs/{attempt}")
        return [line["event"] for line in answer["content"] if isinstance(line, dict)]

    def logging_services(self) -> set[str]:
        """The services of which the store has log lines, as the user who may read them."""
        answer = requests.post(
            f"{self.endpoints['elasticsearch']}/logs-docker.container-{self.stack.stack}/_search",
            auth=self.login("elasticsearch"),
            json={"size": 0, "aggs": {"services": {"terms": {"field": "service.name", "size": 100}}}},
            timeout=_HTTP_SECONDS,
        )
        answer.raise_for_status()
        return {bucket["key"] for bucket in answer.json()["aggregations"]["services"]["buckets"]}

    def panel(self, panel: dict[str, Any], target: dict[str, Any]) -> list[dict[str, Any]]:
        """The frames with values that Grafana answers to one query of a panel, every choice set to all."""
        chosen = {
            "$stack": self.stack.stack, "$__interval": "1m", "$search": "*",
            "$dag_id": ".*", "$task_id": ".*", "$pipeline": ".*", "$service": ".*",
            "${dag_id:regex}": ".*", "${task_id:regex}": ".*", "${service:regex}": ".*",
        }  # fmt: skip
        text = json.dumps(target)
        for name, value in chosen.items():
            text = text.replace(name, value)
        query = json.loads(text) | {
            "datasource": panel["datasource"],
            "maxDataPoints": 500,
            "intervalMs": 10_000,
        }
        answer = self.grafana_query(query)
        assert "error" not in answer, f"{panel['title']}: {answer['error']}"
        return [frame for frame in answer.get("frames", ()) if any(frame["data"]["values"])]

    def rules(self) -> list[dict[str, Any]]:
        """The alert rules that Prometheus evaluates."""
        groups = self._get("prometheus", "/api/v1/rules")["data"]["groups"]
        return [rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"]

    def is_known(self, metric: str) -> bool:
        """Whether some page that Prometheus reads names the metric, with or without a sample."""
        family = re.sub(r"_(count|sum|bucket)$", "", metric)
        found = self._get("prometheus", "/api/v1/metadata")["data"]
        return bool({metric, metric.removesuffix("_total"), family} & found.keys())

    def selectors(self, query: str) -> set[str]:
        """The selectors of a PromQL expression, as Prometheus itself understands it."""
        answer = self._get("prometheus", "/api/v1/parse_query", params={"query": query})
        return set(_selectors(answer["data"]))

    def airflow(self, path: str, **parameters: Any) -> Any:
        """A GET on Airflow's REST API as its administrator."""
        return self._airflow("GET", path, **parameters)

    def _airflow(self, method: str, path: str, **parameters: Any) -> Any:
        answer = requests.request(
            method,
            f"{self.endpoints['airflow']}/api/v2{path}",
            headers={"Authorization": f"Bearer {self._airflow_token}"},
            timeout=_HTTP_SECONDS,
            **parameters,
        )
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def _ended(self, dag: str, run: str) -> str | None:
        state = self.airflow(_run_path(dag, run))["state"]
        return state if state in ("success", "failed") else None

    @cached_property
    def _airflow_token(self) -> str:
        username, password = self.login("airflow")
        answer = requests.post(
            f"{self.endpoints['airflow']}/auth/token",
            json={"username": username, "password": password},
            timeout=_HTTP_SECONDS,
        )
        answer.raise_for_status()
        return answer.json()["access_token"]

    def _get(self, service: str, path: str, **parameters: Any) -> Any:
        answer = requests.get(f"{self.endpoints[service]}{path}", timeout=_HTTP_SECONDS, **parameters)
        answer.raise_for_status()
        return answer.json()


def _run_path(dag: str, run: str) -> str:
    return f"/dags/{dag}/dagRuns/{requests.utils.quote(run, safe='')}"


def _selectors(node: Any) -> Iterator[str]:
    """The vector and matrix selectors below a node of a parsed expression, with their matchers."""
    if isinstance(node, list):
        for each in node:
            yield from _selectors(each)
    elif isinstance(node, dict):
        if node.get("type") in ("vectorSelector", "matrixSelector"):
            matchers = (f"{m['name']}{m['type']}{json.dumps(m['value'])}" for m in node["matchers"])
            yield f"{{{', '.join(sorted(matchers))}}}"
        for value in node.values():
            yield from _selectors(value)
