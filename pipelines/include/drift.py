"""Drift: are the rows that a model is given still like those that it was trained on?

Three lines to use::

    Reference.of(names, rows).save(path)          # in the step that trains, beside the model
    found = Reference.load(path).compare(rows)    # in the step that predicts
    step.drift(found, model="trees")              # a Step of ml_metrics sends it

Rows are a table of numbers, one column for each feature; categories are numbered first. A value that is
missing (NaN) is a value like any other: features also drift by being left out.

Two measures for each feature, since neither will do alone:

- the population stability index (PSI) says how much: by convention, more than 0.2 is drift. Bins hold equal
  shares of the reference. Chance alone makes it about (bins - 1) (1/reference rows + 1/new rows), so small
  tables get fewer bins, from 10 down to 2, to keep that below 0.05.
- the two-sample Kolmogorov-Smirnov test says how sure: its statistic and p-value. The p-value follows the
  asymptotic formula: where it is below 0.05, it is within 40 % of the exact one for 20 rows and 10 % for a
  thousand; for features with few different values it is too high.

Fewer than 20 rows prove nothing and are not compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from metric_tags import tag_value

_MIN_ROWS = 20
_MIN_BINS, _MAX_BINS = 2, 10
_PSI_BY_CHANCE = 0.05
_DRIFTED_PSI = 0.2
_DRIFTED_PVALUE = 0.01
# A reference is as exact with these as with millions: by then, the noise is that of the new rows.
_SAMPLE_ROWS = 2000
# Each makes three time series of every model, sent as one datagram each, all at once.
_MAX_FEATURES = 100


@dataclass(frozen=True)
class FeatureDrift:
    """One feature's measures."""

    psi: float
    ks: float
    ks_pvalue: float

    @property
    def drifted(self) -> bool:
        """Whether the change is both large and certain."""
        return self.psi > _DRIFTED_PSI and self.ks_pvalue < _DRIFTED_PVALUE


@dataclass(frozen=True)
class Reference:
    """What is kept of the rows that a model was trained on: a random sample, at most 2000 rows."""

    names: tuple[str, ...]
    rows: np.ndarray

    @classmethod
    def of(cls, names: Sequence[str], rows: np.ndarray) -> "Reference":
        """Keep a sample of ``rows``, whose columns are ``names``. The same rows give the same sample.

        Raises:
            ValueError: names and columns differ in number, there are more than 100, or two of the names would
                be the same label.
        """
        table = _table(rows, len(names))
        if len(names) > _MAX_FEATURES:
            raise ValueError(f"{len(names)} features: name those to be watched, at most {_MAX_FEATURES}")
        if len({tag_value(name) for name in names}) < len(names):
            raise ValueError("two features would have the same label: characters like spaces become one")
        if len(table) > _SAMPLE_ROWS:
            table = np.random.default_rng(0).choice(table, _SAMPLE_ROWS, replace=False)
        return cls(tuple(names), table)

    @classmethod
    def load(cls, path: str | Path) -> "Reference":
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as kept:
            return cls(tuple(map(str, kept["names"])), kept["rows"])

    def save(self, path: str | Path) -> None:
        """Write it, compressed, to ``path``, which ends in ``.npz``."""
        np.savez_compressed(path, names=np.array(self.names), rows=self.rows)

    def compare(self, rows: np.ndarray) -> dict[str, FeatureDrift]:
        """Return the drift of each feature; nothing if there are fewer than 20 rows on either side.

        Raises:
            ValueError: there are not as many columns as features.
        """
        table = _table(rows, len(self.names))
        if min(len(table), len(self.rows)) < _MIN_ROWS:
            return {}
        columns = zip(self.names, self.rows.T, table.T, strict=True)
        return {name: _feature_drift(old, new) for name, old, new in columns}


def _table(rows: np.ndarray, columns: int) -> np.ndarray:
    table = np.asarray(rows, dtype=float)
    if table.ndim != 2 or table.shape[1] != columns:
        raise ValueError(f"want rows of {columns} columns, have {table.shape}")
    return table


def _feature_drift(old: np.ndarray, new: np.ndarray) -> FeatureDrift:
    statistic = ks_statistic(old, new)
    return FeatureDrift(psi(old, new), statistic, ks_pvalue(statistic, len(old), len(new)))


def psi(old: np.ndarray, new: np.ndarray) -> float:
    """Return the population stability index of two samples. Bins that one of them leaves empty are finite."""
    edges = _edges(old[~np.isnan(old)], _bins(len(old), len(new)))
    counts = np.array([_counts(old, edges), _counts(new, edges)])
    # Half an observation more in each bin that is used at all.
    counts = counts[:, counts.any(axis=0)] + 0.5
    expected, found = counts / counts.sum(axis=1, keepdims=True)
    return float(((found - expected) * np.log(found / expected)).sum())


def ks_statistic(old: np.ndarray, new: np.ndarray) -> float:
    """Return the largest distance between two samples' distributions; missing values count as smallest."""
    old, new = (np.sort(np.where(np.isnan(sample), -np.inf, sample)) for sample in (old, new))
    everywhere = np.concatenate([old, new])
    shares = (np.searchsorted(sample, everywhere, side="right") / len(sample) for sample in (old, new))
    return float(np.abs(np.subtract(*shares)).max())


def ks_pvalue(statistic: float, old_rows: int, new_rows: int) -> float:
    """Return how probable a statistic at least this large is without drift.

    By Kolmogorov's series, as Stephens corrected it for small samples.
    """
    root = np.sqrt(old_rows * new_rows / (old_rows + new_rows))
    scaled = (root + 0.12 + 0.11 / root) * statistic
    if scaled < 0.2:
        # Here the series needs more terms than there are below; its sum is 1 to 12 digits.
        return 1.0
    terms = np.arange(1, 101)
    return float(np.clip(2 * ((-1.0) ** (terms - 1) * np.exp(-2 * (terms * scaled) ** 2)).sum(), 0, 1))


def _bins(old_rows: int, new_rows: int) -> int:
    return int(np.clip(1 + _PSI_BY_CHANCE / (1 / old_rows + 1 / new_rows), _MIN_BINS, _MAX_BINS))


def _edges(present: np.ndarray, bins: int) -> np.ndarray:
    """Upper edges of all bins but the last; values that are frequent have fewer, wider neighbours."""
    if not len(present):
        return present
    edges = np.unique(np.quantile(present, np.arange(1, bins) / bins, method="inverted_cdf"))
    if edges[0] == present.min():
        # The smallest value is frequent, or the only one: what is smaller still must not count as the same.
        edges = np.insert(edges, 0, np.nextafter(edges[0], -np.inf))
    return edges


def _counts(sample: np.ndarray, edges: np.ndarray) -> np.ndarray:
    missing = np.isnan(sample)
    bins = np.searchsorted(edges, sample[~missing], side="left")
    return np.append(np.bincount(bins, minlength=len(edges) + 1), missing.sum())
