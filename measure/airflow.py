"""Airflow's REST API as its administrator: start runs, and wait for what becomes of them."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

from measure.stack import ANSWER_SECONDS, MeasureError, Stack

_PATIENCE_SECONDS = 300
_POLL_SECONDS = 0.5

T = TypeVar("T")


class Airflow:
    """One session; its token lasts for a day."""

    def __init__(self, stack: Stack) -> None:
        """Log in."""
        self._session = stack.session
        self._url = stack.endpoints["airflow"]
        username, password = stack.login("airflow")
        answer = self._session.post(
            f"{self._url}/auth/token",
            json={"username": username, "password": password},
            timeout=ANSWER_SECONDS,
        )
        answer.raise_for_status()
        self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def trigger(self, dag: str) -> str:
        """Start a run of the DAG, which is unpaused for it; the run's id."""
        self._call("PATCH", f"/dags/{dag}", {"is_paused": False})
        return self._call("POST", f"/dags/{dag}/dagRuns", {"logical_date": None})["dag_run_id"]

    def end_of_run(self, dag: str, run: str) -> str:
        """Wait until the run has ended; its state.

        Raises:
            MeasureError: it has not ended in time.
        """

        def ended() -> str | None:
            state = self._call("GET", _run_path(dag, run))["state"]
            return state if state in ("success", "failed") else None

        return _wait(f"end of {run}", ended)

    def end_of_failed_task(self, dag: str, run: str, task: str) -> float:
        """Wait until the task has failed; the time of its end.

        Raises:
            MeasureError: it has not failed in time.
        """

        def failed() -> float | None:
            found = self._call("GET", f"{_run_path(dag, run)}/taskInstances/{task}")
            if found["state"] != "failed":
                return None
            return datetime.fromisoformat(found["end_date"]).timestamp()

        return _wait(f"failure of {task} in {run}", failed)

    def delete_run(self, dag: str, run: str) -> None:
        """Forget the run."""
        self._call("DELETE", _run_path(dag, run))

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._session.request(
            method, f"{self._url}/api/v2{path}", json=body, headers=self._headers, timeout=ANSWER_SECONDS
        )
        if not answer.ok:
            message = f"Airflow answers {answer.status_code} to {method} {path}: {answer.text[:500]}"
            raise MeasureError(message)
        return answer.json() if answer.content else None


def _run_path(dag: str, run: str) -> str:
    return f"/dags/{dag}/dagRuns/{quote(run, safe='')}"


def _wait(what: str, answer: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while (found := answer()) is None:
        if time.monotonic() > deadline:
            message = f"no {what} within {_PATIENCE_SECONDS} s"
            raise MeasureError(message)
        time.sleep(_POLL_SECONDS)
    return found
