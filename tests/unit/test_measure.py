"""How samples are gathered and judged, and what of that is printed.

Decides that no event is counted twice, forgotten, or taken for seen, and that a missed target is told. Cannot
decide how long anything takes: that is what ``make measure`` is for.
"""

import time
from collections.abc import Iterator, Set

import pytest

from measure.report import table
from measure.sampling import Samples, Target, follow


def made(*names: str) -> Iterator[str]:
    for name in names:
        yield f"{name} {time.time()}"


def samples(*delays: float, lost: int = 0, **target: float) -> Samples:
    return Samples(way="event → person", delays=delays, lost=lost, target=Target(**target))


def test_each_event_is_counted_once_when_it_is_seen():
    asked: list[set[str]] = []

    def seen(waiting: Set[str]) -> set[str]:
        asked.append(set(waiting))
        return {"a"} & waiting if len(asked) < 3 else set(waiting)

    delays, lost = follow(made("a", "b"), seen, count=2, patience=5)
    assert len(delays) == 2
    assert lost == 0
    assert all(0 <= delay < 5 for delay in delays)
    assert asked[-1] == {"b"}


def test_the_delay_counts_from_the_event_and_not_from_when_it_was_heard_of():
    (delay,), lost = follow(iter([f"a {time.time() - 10}"]), set, count=1, patience=5)
    assert 10 <= delay < 15
    assert lost == 0


def test_an_event_that_is_never_seen_is_lost():
    delays, lost = follow(made("a", "b"), lambda waiting: waiting & {"a"}, count=2, patience=0.3)
    assert len(delays) == 1
    assert lost == 1


def test_nobody_waits_for_ever_for_a_sender_that_hangs():
    def hanging() -> Iterator[str]:
        yield from made("a")
        time.sleep(30)
        yield from made("b")

    started = time.monotonic()
    delays, lost = follow(hanging(), set, count=2, patience=0.3)
    assert (len(delays), lost) == (1, 1), "what was never announced is lost"
    assert time.monotonic() - started < 10


def test_a_sender_that_fails_is_no_end_of_the_events():
    def failing() -> Iterator[str]:
        yield from made("a")
        message = "the container is gone"
        raise OSError(message)

    with pytest.raises(OSError, match="gone"):
        follow(failing(), set, count=1, patience=5)


def test_figures_are_those_of_the_samples():
    found = samples(*(float(number) for number in range(1, 102)))
    assert (found.median, found.p95, found.worst) == (51, 96, 101)


@pytest.mark.parametrize(
    ("measured", "met"),
    [
        pytest.param(samples(1, 2, 9, median=2, worst=9), True, id="just kept"),
        pytest.param(samples(1, 2.1, 9, median=2), False, id="median"),
        pytest.param(samples(1, 2, 9, p95=8), False, id="95th percentile"),
        pytest.param(samples(1, 2, 9, worst=8.9), False, id="worst"),
        pytest.param(samples(1, 2, 3, lost=1, median=2), False, id="one lost"),
        pytest.param(samples(lost=3, median=2), False, id="none seen"),
        pytest.param(Samples(way="compared", delays=(99,)), True, id="nothing demanded"),
    ],
)
def test_a_target_is_met_or_not(measured, met):
    assert measured.met is met
    assert ("**missed**" in table([measured])) is not met


def test_the_table_tells_what_was_lost():
    row = table([samples(1, 2, lost=2, median=3)]).splitlines()[-1]
    assert row == "| event → person | 2 of 4 | 1.5 s | 1.9 s | 2.0 s | median ≤ 3 s | **missed** |"
