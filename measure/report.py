"""The table of what was measured, in Markdown."""

from collections.abc import Sequence

from measure.sampling import Samples, Target

_HEAD = ("from the event to the person", "n", "median", "95th percentile", "worst", "target", "")


def table(measured: Sequence[Samples]) -> str:
    """One row for each way, in seconds."""
    rows = [_HEAD, ("---", *["--:"] * 4, "---", "---"), *(_row(samples) for samples in measured)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(samples: Samples) -> tuple[str, ...]:
    count = f"{len(samples.delays)}"
    if samples.lost:
        count += f" of {len(samples.delays) + samples.lost}"
    figures = (samples.median, samples.p95, samples.worst) if samples.delays else ()
    shown = [f"{figure:.1f} s" for figure in figures] or ["-"] * 3
    verdict = "" if samples.target is None else "met" if samples.met else "**missed**"
    return samples.way, count, *shown, _demand(samples.target), verdict


def _demand(target: Target | None) -> str:
    if target is None:
        return ""
    limits = (("median", target.median), ("95th percentile", target.p95), ("worst", target.worst))
    return ", ".join(f"{name} ≤ {limit:g} s" for name, limit in limits if limit is not None)
