"""The deployed platform from a user's side: what its outputs name, asked over HTTP and ``docker exec``."""

import json
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import requests
from deployment import Deployment, wait_for

_HTTP_SECONDS = 30


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
        return answer.json()["results"]["A"]

    def logs(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """The task log documents that match, oldest first, at most 10,000, as the user who may read them."""
        answer = requests.post(
            f"{self.endpoints['elasticsearch']}/logs-airflow.task-{self.stack.stack}/_search",
            auth=self.login("elasticsearch"),
            json={"query": query, "size": 10_000, "sort": [{"@timestamp": "asc"}]},
            timeout=_HTTP_SECONDS,
        )
        answer.raise_for_status()
        return [hit["_source"] for hit in answer.json()["hits"]["hits"]]

    def run_dag(self, dag: str, *, seconds: float = 300) -> tuple[str, str]:
        """Trigger a DAG from the scheduler's command line and wait for the run's end: its id and state."""
        run = f"e2e__{dag}__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f+00:00}"
        self.exec("airflow-scheduler", "airflow", "dags", "trigger", dag, "--run-id", run)
        return run, wait_for(f"end of {dag}", lambda: self._ended(dag, run), seconds=seconds)

    def dag_ids(self) -> set[str]:
        """The DAGs that Airflow knows."""
        return {each["dag_id"] for each in self.airflow("/dags", params={"limit": 100})["dags"]}

    def airflow(self, path: str, **parameters: Any) -> Any:
        """A GET on Airflow's REST API as its administrator."""
        token = {"Authorization": f"Bearer {self._airflow_token}"}
        return self._get("airflow", f"/api/v2{path}", headers=token, **parameters)

    def _ended(self, dag: str, run: str) -> str | None:
        state = self.airflow(f"/dags/{dag}/dagRuns/{requests.utils.quote(run, safe='')}")["state"]
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
