"""Compares the drift measures with scipy's, on samples of many sizes and shapes.

Prints ``RESULT [...]``, a list of cases: what ``drift`` says and what scipy says.
"""

import json

import numpy as np
from drift import Reference, ks_pvalue, ks_statistic, psi
from scipy.stats import entropy, ks_2samp

_SIZES = ((20, 20), (341, 20), (341, 114), (2000, 50), (2000, 2000), (1000, 20000))
_SHIFTS = (0.0, 0.1, 0.3, 1.0)


def samples(random, old_rows, new_rows, shift):
    """Yield pairs of samples: continuous, skewed, of few values, with missing ones."""
    yield random.normal(size=old_rows), random.normal(shift, size=new_rows)
    yield random.exponential(size=old_rows), random.exponential(1 + shift, size=new_rows)
    yield random.poisson(1, old_rows) * 1.0, random.poisson(1 + shift, new_rows) * 1.0
    old, new = random.normal(size=old_rows), random.normal(size=new_rows)
    yield old, np.where(random.random(new_rows) < shift / 2, np.nan, new)


def jeffreys(old, new):
    """The PSI as scipy's relative entropies, on bins filled by numpy's histogram; continuous samples only."""
    rows = 1 / len(old) + 1 / len(new)
    bins = int(np.clip(1 + 0.05 / rows, 2, 10))
    inner = np.quantile(old, np.arange(1, bins) / bins, method="inverted_cdf")
    # Bins that are closed on the right.
    edges = np.concatenate([[-np.inf], np.nextafter(inner, np.inf), [np.inf]])
    shares = [np.histogram(sample, edges)[0] + 0.5 for sample in (old, new)]
    return float(entropy(*shares) + entropy(*shares[::-1]))


def main():
    """Compare and print."""
    random = np.random.default_rng(20)
    cases = []
    for old_rows, new_rows in _SIZES:
        for shift in _SHIFTS:
            for kind, (old, new) in enumerate(samples(random, old_rows, new_rows, shift)):
                # Missing values are the smallest ones; scipy would refuse them.
                expected = ks_2samp(*(np.where(np.isnan(sample), -1e9, sample) for sample in (old, new)))
                statistic = ks_statistic(old, new)
                found = Reference.of(["x"], old[:, None]).compare(new[:, None])["x"]
                assert found.ks == statistic
                assert found.psi == psi(old, new)
                cases.append(
                    {
                        "case": [old_rows, new_rows, shift, kind],
                        "ks": [statistic, float(expected.statistic)],
                        "pvalue": [ks_pvalue(statistic, old_rows, new_rows), float(expected.pvalue)],
                        "psi": [psi(old, new), jeffreys(old, new)] if kind < 2 else None,
                    }
                )
    print("RESULT " + json.dumps(cases))


if __name__ == "__main__":
    main()
