"""Samples: when each event was made, and when it was first seen."""

import queue
import statistics
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass

from measure.stack import in_background

_POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class Target:
    """How long it may take, in seconds; None is no demand."""

    median: float | None = None
    p95: float | None = None
    worst: float | None = None


@dataclass(frozen=True, kw_only=True)
class Samples:
    """What was measured of one way.

    Attributes:
        way: from the event to where it was seen.
        delays: seconds of each sample that was seen.
        lost: how many were never seen.
        target: what is demanded; None where a comparison is all that is wanted.
    """

    way: str
    delays: tuple[float, ...]
    lost: int = 0
    target: Target | None = None

    @property
    def median(self) -> float:
        """Of what was seen."""
        return statistics.median(self.delays)

    @property
    def p95(self) -> float:
        """The 95th percentile of what was seen."""
        if len(self.delays) < 2:
            return self.worst
        return statistics.quantiles(self.delays, n=20, method="inclusive")[-1]

    @property
    def worst(self) -> float:
        """Of what was seen."""
        return max(self.delays)

    @property
    def met(self) -> bool:
        """Whether nothing was lost and the target, if there is one, is kept."""
        if self.target is None:
            return True
        if self.lost or not self.delays:
            return False
        limits = (
            (self.median, self.target.median),
            (self.p95, self.target.p95),
            (self.worst, self.target.worst),
        )
        return all(limit is None or seen <= limit for seen, limit in limits)


def follow(
    events: Iterator[str], seen: Callable[[Set[str]], Set[str]], *, count: int, patience: float
) -> tuple[tuple[float, ...], int]:
    """Delays of the events that were seen, and the number of those that were not.

    Args:
        events: lines of an identifier and the time at which the event happened.
        seen: which of the events that are waited for can be seen now.
        count: how many events there should be; one that was never announced is lost too.
        patience: seconds after which the events that are left are given up, from the last one on.
    """
    coming = in_background(events)
    waiting: dict[str, float] = {}
    delays: list[float] = []
    last = time.monotonic()
    ended = False
    while (waiting or not ended) and time.monotonic() - last < patience:
        asked = time.monotonic()
        for line in iter(lambda: _next(coming), ""):
            if line is None:
                ended = True
                break
            identifier, moment = line.split()
            waiting[identifier] = float(moment)
            last = time.monotonic()
        found = seen(waiting.keys()) if waiting else set()
        now = time.time()
        delays += [now - waiting.pop(identifier) for identifier in found]
        time.sleep(max(0.0, asked + _POLL_SECONDS - time.monotonic()))
    return tuple(delays), count - len(delays)


def _next(coming: "queue.SimpleQueue[str | Exception | None]") -> str | None:
    """The next line; empty when there is none yet, None at the end."""
    try:
        line = coming.get_nowait()
    except queue.Empty:
        return ""
    if isinstance(line, Exception):
        raise line
    return line
