"""PromQL of counters that are born by their first event.

The StatsD exporter shows a series from its first event on, with the value one. ``increase`` and ``rate`` need
two samples of a series, so they miss that event: with them the first run of a DAG would be seen nowhere.
"""


def grown(metric: str, by: str, window: str) -> str:
    """How much a counter grew within ``window``, its birth included, summed by the labels ``by``.

    A restart of the exporter puts it back to zero; the growth is then zero for one window, never negative.
    After a gap in the scrapes longer than Prometheus looks back (5 min), all that was counted shows as new.
    """
    now = f"sum by ({by}) ({metric})"
    before = f"sum by ({by}) ({metric} offset {window})"
    return f"clamp_min({now} - ({before} or {now} * 0), 0)"


def mean(histogram: str, selector: str, by: str, window: str) -> str:
    """The mean of the observations within ``window`` by the labels ``by``; nothing where there was none."""
    total = grown(f"{histogram}_sum{selector}", by, window)
    count = grown(f"{histogram}_count{selector}", by, window)
    return f"{total} / ({count} > 0)"


def quantile(fraction: float, histogram: str, selector: str, by: str, window: str) -> str:
    """The quantile of the observations within ``window``, as exact as the buckets, by the labels ``by``."""
    buckets = grown(f"{histogram}_bucket{selector}", f"{by}, le" if by else "le", window)
    return f"histogram_quantile({fraction}, {buckets}) >= 0"
