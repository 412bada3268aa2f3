"""How much a counter grew, for alerts: at its birth, over restarts of what shows it, and after gaps.

The StatsD exporter shows a counter from its first event on, with the value one, of which ``increase`` sees
nothing.
"""


def grew(counter: str, by: str, window: int, *, job: str = "statsd-exporter") -> str:
    """PromQL of the growth within ``window`` seconds, summed by the labels ``by``.

    What was not there a window ago counts whole, unless nobody could have seen it then: after a gap in the
    scrapes all counters would look new otherwise.

    Args:
        counter: name and selector.
        by: labels, separated by commas; empty for none.
        window: seconds.
        job: whose page shows the counter.
    """
    born = f"({counter} unless {counter} offset {window}s)"
    looked = f'up{{job="{job}"}} offset {window}s == 1'
    started = f'time() - process_start_time_seconds{{job="{job}"}} < {window}'
    return f"sum by ({by}) ({born} and on () ({looked} or {started}) or increase({counter}[{window}s]))"
