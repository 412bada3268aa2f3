"""What a gate reads out of the engine's inspect records.

Decides: each state of a container leads to the verdict that the gates rely on. Cannot decide: whether the
engine reports those states as recorded here (tests/e2e/test_gates.py runs real containers).
"""

from typing import Any

import pytest

from components.verdict import Status, judge


def _record(status: str, *, health: str | None = None, restarts: int = 0, **state: Any) -> dict[str, Any]:
    probes = [{"Output": "connection refused\n"}]
    known = {"Status": status, "ExitCode": 0, "Error": "", "OOMKilled": False, **state}
    if health:
        known["Health"] = {"Status": health, "Log": probes}
    return {"State": known, "RestartCount": restarts}


@pytest.mark.parametrize(
    ("record", "one_shot", "status", "reason"),
    [
        (_record("running", health="healthy"), False, Status.READY, ""),
        (_record("running", health="healthy", restarts=2), False, Status.READY, ""),
        (_record("running", health="starting"), False, Status.PENDING, ""),
        (_record("created"), False, Status.PENDING, ""),
        (_record("running"), True, Status.PENDING, ""),
        (_record("exited"), True, Status.READY, ""),
        (_record("exited", ExitCode=7), True, Status.FAILED, "exited with code 7"),
        (_record("exited"), False, Status.FAILED, "exited with code 0"),
        (_record("exited", ExitCode=137, OOMKilled=True), False, Status.FAILED, "want of memory"),
        (_record("restarting", ExitCode=1), False, Status.FAILED, "keeps restarting, last exit code 1"),
        (_record("running", health="starting", restarts=1), False, Status.FAILED, "crashed 1 time"),
        (_record("running", health="unhealthy"), False, Status.FAILED, "connection refused"),
        (_record("created", Error="port is already allocated"), False, Status.FAILED, "already allocated"),
    ],
)
def test_verdict(record: dict[str, Any], one_shot: bool, status: Status, reason: str) -> None:
    """Every state that a starting container can be in."""
    verdict = judge(record, one_shot=one_shot)
    assert verdict.status is status
    assert reason in verdict.reason
