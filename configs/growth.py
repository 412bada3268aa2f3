"""How much a counter grew, its birth included, which ``increase`` does not see.

Many counters are shown from their first event on, with the value one: all of the StatsD exporter's are.
"""


def grew(counter: str, by: str, window: int, *, job: str = "statsd-exporter", age: str | None = None) -> str:
    """For alerts: the growth within ``window`` seconds, summed by the labels ``by``; nothing old is news.

    What was not there a window ago counts whole, unless nobody could have seen it then: after a gap in the
    scrapes all counters would look new otherwise. Prometheus extrapolates, so that it is no whole number.

    Args:
        counter: name and selector.
        by: labels, separated by commas; empty for none.
        window: seconds.
        job: whose page shows the counter.
        age: PromQL of the seconds since that page's process started; None: it says when it did.
    """
    born = f"({counter} unless {counter} offset {window}s)"
    looked = f'up{{job="{job}"}} offset {window}s == 1'
    started = f"{age or _age(job)} < {window}"
    return f"sum by ({by}) ({born} and on () ({looked} or {started}) or increase({counter}[{window}s]))"


def grown(metric: str, by: str, window: str) -> str:
    """For panels: the growth within ``window``, summed by the labels ``by``, in whole numbers.

    Zero where nothing grew. A restart of what shows the counter puts it back to zero; the growth is then zero
    for one window, never negative. After a gap in the scrapes longer than Prometheus looks back (5 min) all
    that was ever counted shows as new: a spike beside the gap in a panel, but in an alert a false alarm.

    Args:
        metric: name and selector.
        by: labels, separated by commas; empty for none.
        window: as PromQL writes it, or a variable of Grafana's.
    """
    now = f"sum by ({by}) ({metric})"
    before = f"sum by ({by}) ({metric} offset {window})"
    return f"clamp_min({now} - ({before} or {now} * 0), 0)"


def _age(job: str) -> str:
    return f'time() - process_start_time_seconds{{job="{job}"}}'
