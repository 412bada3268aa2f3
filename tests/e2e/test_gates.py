"""How an ``up`` ends when a container is broken, on the real engine, with three small containers.

Decides: a crash, an unhealthy start and a failed step fail the ``up`` within 10 s whatever else is still
starting, name the service, show its log, and fail again until mended. Cannot decide: whether each real
service's own health check notices its own faults.
"""

import time
from collections.abc import Iterator

import pytest
from deployment import Deployment, Outcome, deployment
from stack_files import REPOSITORY

from configs.versions import ImageSet, image_for

_PROGRAM = REPOSITORY / "tests" / "e2e" / "programs" / "gates"
_LIMIT_SECONDS = 10
_EVENTS_SECONDS = 120
_FINE = "touch /tmp/ready; sleep 1000"
_CRASH = "for i in $(seq 1 25); do echo line $i; done; sleep 1; exit 3"


@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory, image_set: ImageSet) -> Iterator[Deployment]:
    """The program of ``programs/gates``, copied so that its stack file stays out of the repository."""
    home = tmp_path_factory.mktemp("gates")
    program = home / "program"
    program.mkdir()
    for file in _PROGRAM.iterdir():
        if file.is_file():
            (program / file.name).write_bytes(file.read_bytes())
    with deployment(program, "e2egates", home, env={"PYTHONPATH": str(REPOSITORY)}) as made:
        made.init({"image": image_for("postgres", image_set), "slow_seconds": "60", "suspect": _FINE})
        yield made


def test_a_crash_fails_the_up_at_once_and_again(gates: Deployment) -> None:
    """A crash while a sibling needs another minute: within 10 s, named, with 20 lines; a re-run fails too."""
    gates.set("suspect", _CRASH)
    first = _up_that_fails_fast(gates, "suspect", "die")
    assert "suspect" in first.text
    assert "Traceback" not in first.text
    for number in range(6, 26):
        assert f"line {number}\n" in first.text, first.text

    again = gates.up()
    assert again.code != 0, again.text
    assert "suspect" in again.text
    assert again.seconds < 30, "a re-run must fail fast too"


def test_the_cure_is_enough(gates: Deployment) -> None:
    """With the script mended and a faster sibling the next ``up`` passes, and a preview is then empty."""
    gates.set("suspect", _FINE)
    gates.set("slow_seconds", "1")
    mended = gates.up()
    assert mended.code == 0, mended.text
    preview = gates.pulumi("preview", "--expect-no-changes")
    assert preview.code == 0, preview.text


def test_an_unhealthy_service_fails_the_up(gates: Deployment) -> None:
    """A service that never passes its health check: within 10 s, while a sibling needs another minute."""
    gates.set("suspect", "echo never ready; sleep 1000")
    gates.set("slow_seconds", "60")
    outcome = _up_that_fails_fast(gates, "suspect", "health_status: unhealthy")
    assert "suspect is unhealthy" in outcome.text, outcome.text
    assert "never ready" in outcome.text


def test_a_failed_step_fails_the_up_and_is_tried_again(gates: Deployment) -> None:
    """A one-shot step's exit code counts, within 10 s too, and a second ``up`` runs the step anew."""
    gates.set("suspect", _FINE)
    gates.set("slow_seconds", "61")
    gates.set("step", "date +%s%N; echo the disk is full; exit 7")
    first = _up_that_fails_fast(gates, "step", "die")
    assert "step exited with code 7" in first.text, first.text
    assert "the disk is full" in first.text
    started = gates.containers()["step"].attrs["State"]["StartedAt"]

    again = gates.up()
    assert again.code != 0
    assert "step exited with code 7" in again.text, again.text
    assert gates.containers()["step"].attrs["State"]["StartedAt"] > started

    gates.set("step", "exit 0")
    gates.set("slow_seconds", "1")
    assert gates.up().code == 0


def _up_that_fails_fast(gates: Deployment, service: str, event: str) -> Outcome:
    """An ``up`` that ends within 10 s of the engine's first such ``event``, with a sibling still starting."""
    watched = {**gates.labelled, "event": ["die", "health_status"]}
    now = int(time.time())
    # Without a start, an engine that is given an end begins with what it remembers of earlier runs.
    events = gates.engine.events(decode=True, filters=watched, since=now, until=now + _EVENTS_SECONDS)
    try:
        outcome = gates.up()
        ended = time.time()
        assert outcome.code != 0, outcome.text
        stamps = (
            each["timeNano"] / 1e9
            for each in events
            if each["Action"] == event and each["Actor"]["Attributes"]["mlops.service"] == service
        )
        failed = next(stamps, None)
    finally:
        events.close()
    assert failed, f"no event {event!r} of {service}: {outcome.text}"
    assert ended - failed < _LIMIT_SECONDS, outcome.text
    # Not yet made anew, or still starting: either way nobody waited for it.
    slow = gates.containers().get("slow")
    assert slow is None or slow.attrs["State"]["Health"]["Status"] == "starting", outcome.text
    return outcome


def test_destroy_leaves_nothing(gates: Deployment) -> None:
    """No container, network or volume with the stack's label outlives ``destroy``."""
    outcome = gates.pulumi("destroy", "--yes", "--skip-preview")
    assert outcome.code == 0, outcome.text
    assert gates.leftovers() == []
