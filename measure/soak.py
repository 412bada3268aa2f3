"""``python -m measure.soak --stack dev``: a healthy stack at work for half an hour, and no alert.

The example pipeline runs over and over; at the end Prometheus is asked for every alert that fired meanwhile.
Exit code 0 if none did but the watchdog, 1 if one did or a run failed, 2 if it could not be asked.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

import requests
from docker.errors import DockerException

from measure.airflow import Airflow
from measure.stack import ANSWER_SECONDS, MeasureError, Stack, open_stack
from toolchain.console import BootstrapError, say

_DAG = "breast_cancer"
_PAUSE_SECONDS = 60
_HIDDEN = ("__name__", "alertstate", "stack")
_STEP_SECONDS = 15
_LEAST_WATCHED = 0.98
_ALERTS = 'count_over_time(ALERTS{{alertstate="firing", alertname!="Watchdog"}}[{seconds}s])'
_WATCHDOG = 'present_over_time(ALERTS{alertname="Watchdog", alertstate="firing"}[30s])'


def main(arguments: Sequence[str] | None = None) -> int:
    """Let the pipeline run, ask what has fired, return the exit code."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--stack", default="dev", help="a stack that is up and healthy")
    parser.add_argument("--minutes", type=int, default=30)
    chosen = parser.parse_args(arguments)
    try:
        stack = open_stack(chosen.stack)
        return _soak(stack, seconds=chosen.minutes * 60)
    except (MeasureError, BootstrapError, DockerException, requests.RequestException) as error:
        say(str(error))
        return 2


def _soak(stack: Stack, *, seconds: int) -> int:
    airflow = Airflow(stack)
    started = time.time()
    runs: list[str] = []
    failed: list[str] = []
    while time.time() < started + seconds:
        run = airflow.trigger(_DAG)
        runs.append(run)
        if airflow.end_of_run(_DAG, run) != "success":
            failed.append(run)
        time.sleep(max(0, min(_PAUSE_SECONDS, started + seconds - time.time())))
    ended = time.time()
    fired = _ask(stack, "query", query=_ALERTS.format(seconds=round(ended - started)), time=ended)
    for series in fired:
        labels = {name: value for name, value in sorted(series["metric"].items()) if name not in _HIDDEN}
        print(f"{labels.pop('alertname')} {labels}: fired in {series['value'][1]} evaluations")
    watched = _share_watched(stack, started, ended)
    say(
        f"{len(runs)} runs of {_DAG} in {seconds // 60} min: {len(failed)} failed, {len(fired)} alerts, "
        f"watched {watched:.1%} of the time"
    )
    return 0 if watched >= _LEAST_WATCHED and not fired and not failed else 1


def _share_watched(stack: Stack, started: float, ended: float) -> float:
    """For how much of the time the watchdog fired, without which silence proves nothing."""
    span = {"start": started, "end": ended, "step": _STEP_SECONDS}
    found = _ask(stack, "query_range", query=_WATCHDOG, **span)
    steps = int((ended - started) // _STEP_SECONDS) + 1
    return max((len(series["values"]) for series in found), default=0) / steps


def _ask(stack: Stack, how: str, **parameters: object) -> list[dict[str, Any]]:
    answer = stack.session.get(
        f"{stack.endpoints['prometheus']}/api/v1/{how}", params=parameters, timeout=ANSWER_SECONDS
    )
    answer.raise_for_status()
    return answer.json()["data"]["result"]


if __name__ == "__main__":
    sys.exit(main())
