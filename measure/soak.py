"""``python -m measure.soak --stack dev``: a healthy stack at work for half an hour, and no alert.

The example pipeline runs over and over; at the end Prometheus is asked for every alert that fired meanwhile.
Exit code 0 if none did but the watchdog, 1 if one did or a run failed, 2 if it could not be asked.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import requests
from docker.errors import DockerException

from measure.airflow import Airflow
from measure.stack import ANSWER_SECONDS, MeasureError, Stack, open_stack
from toolchain.console import BootstrapError, say

_DAG = "breast_cancer"
_PAUSE_SECONDS = 60
_STEP_SECONDS = 5
_ALERTS = 'ALERTS{alertstate="firing", alertname!="Watchdog"}'
_WATCHDOG = 'count_over_time(ALERTS{{alertname="Watchdog", alertstate="firing"}}[{seconds}s])'


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
    fired = _fired(stack, started, time.time())
    for alert, times in sorted(fired.items()):
        print(f"{alert}: fired for about {times * _STEP_SECONDS} s")
    watched = bool(_query(stack, _WATCHDOG.format(seconds=seconds)))
    say(
        f"{len(runs)} runs of {_DAG} in {seconds // 60} min: {len(failed)} failed, {len(fired)} alerts, "
        f"the watchdog {'was there' if watched else 'was missing'}"
    )
    return 0 if watched and not fired and not failed else 1


def _fired(stack: Stack, start: float, end: float) -> dict[str, int]:
    """Each alert's name and subject, and at how many steps it fired."""
    answer = stack.session.get(
        f"{stack.endpoints['prometheus']}/api/v1/query_range",
        params={"query": _ALERTS, "start": start, "end": end, "step": _STEP_SECONDS},
        timeout=ANSWER_SECONDS,
    )
    answer.raise_for_status()
    found: dict[str, int] = {}
    for series in answer.json()["data"]["result"]:
        hidden = ("__name__", "alertstate", "stack")
        labels = {name: value for name, value in sorted(series["metric"].items()) if name not in hidden}
        found[f"{labels.pop('alertname')} {labels}"] = len(series["values"])
    return found


def _query(stack: Stack, query: str) -> list[object]:
    answer = stack.session.get(
        f"{stack.endpoints['prometheus']}/api/v1/query", params={"query": query}, timeout=ANSWER_SECONDS
    )
    answer.raise_for_status()
    return answer.json()["data"]["result"]


if __name__ == "__main__":
    sys.exit(main())
