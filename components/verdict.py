"""What a container's inspect record says about it: ready, still starting, or failed and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Status(Enum):
    """The three answers that a gate can act on."""

    READY = "ready"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True)
class Verdict:
    """A status and, for a failure, its reason in words."""

    status: Status
    reason: str = ""


_READY = Verdict(Status.READY)
_PENDING = Verdict(Status.PENDING)


def judge(record: Mapping[str, Any], *, one_shot: bool) -> Verdict:
    """Judge an engine's inspect record.

    A service is ready when its health check passes; a one-shot step when it has ended with exit code 0.
    A service that has been restarted before it was ever healthy has crashed: the restart only hides it.
    """
    state = record["State"]
    health = (state.get("Health") or {}).get("Status")
    code = state["ExitCode"]
    match state["Status"]:
        case "exited" | "dead":
            if one_shot and code == 0:
                return _READY
            killed = ", killed for want of memory" if state.get("OOMKilled") else ""
            return Verdict(Status.FAILED, f"exited with code {code}{killed}")
        case "restarting":
            return Verdict(Status.FAILED, f"keeps restarting, last exit code {code}")
        case "created" if state.get("Error"):
            return Verdict(Status.FAILED, f"could not be started: {state['Error']}")
        case "running" if not one_shot:
            if health == "healthy":
                return _READY
            if health == "unhealthy":
                return Verdict(Status.FAILED, f"is unhealthy: {_last_probe(state)}")
            if record["RestartCount"]:
                return Verdict(Status.FAILED, f"has crashed {record['RestartCount']} time(s) while starting")
    return _PENDING


def _last_probe(state: Mapping[str, Any]) -> str:
    probes = state["Health"].get("Log") or [{"Output": "its health check has no output"}]
    return probes[-1]["Output"].strip()[-300:] or "its health check fails without a word"
