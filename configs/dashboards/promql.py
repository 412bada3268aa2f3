"""PromQL of panels about histograms that are born by their first observation, see :mod:`configs.growth`.

``rate`` needs two samples of a series: with it the first run of a DAG would be seen nowhere.
"""

from configs.growth import grown


def mean(histogram: str, selector: str, by: str, window: str) -> str:
    """The mean of the observations within ``window`` by the labels ``by``; nothing where there was none."""
    total = grown(f"{histogram}_sum{selector}", by, window)
    count = grown(f"{histogram}_count{selector}", by, window)
    return f"{total} / ({count} > 0)"


def quantile(fraction: float, histogram: str, selector: str, by: str, window: str) -> str:
    """The quantile of the observations within ``window``, as exact as the buckets, by the labels ``by``."""
    buckets = grown(f"{histogram}_bucket{selector}", f"{by}, le" if by else "le", window)
    return f"histogram_quantile({fraction}, {buckets}) >= 0"
