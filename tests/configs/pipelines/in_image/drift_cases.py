"""Puts odd data to the drift measures; prints ``RESULT {...}``: case -> what came of it."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
from drift import Reference

_RANDOM = np.random.default_rng(20)
_NORMAL = _RANDOM.normal(size=300)
_NAN = np.full(300, np.nan)
_FALSE_ALARMS = 2000


def compare(old, new):
    """The measures of one feature."""
    found = Reference.of(["x"], np.reshape(old, (-1, 1))).compare(np.reshape(new, (-1, 1)))
    return {name: asdict(measures) | {"drifted": measures.drifted} for name, measures in found.items()}


def refusal(action):
    """The message of the error that is raised."""
    try:
        action()
    except ValueError as error:
        return str(error)
    return None


def false_alarms():
    """How many of many undrifted tables of the example's size are said to drift."""
    pairs = ((_RANDOM.lognormal(size=341), _RANDOM.lognormal(size=114)) for _ in range(_FALSE_ALARMS))
    return sum(compare(old, new)["x"]["drifted"] for old, new in pairs)


def kept_and_read():
    """Whether a reference that is read back is the one that was saved, and how large it is."""
    path = Path("/tmp/reference.npz")
    table = _RANDOM.normal(size=(50_000, 3))
    saved = Reference.of(["a", "b", "c d"], table)
    saved.save(path)
    read = Reference.load(path)
    return {
        "same": read.names == saved.names and bool((read.rows == saved.rows).all()),
        "again": bool((Reference.of(["a", "b", "c d"], table).rows == saved.rows).all()),
        "rows": len(read.rows),
        "bytes": path.stat().st_size,
    }


def main():
    """Put the cases and print."""
    some_missing = np.where(np.arange(300) % 2, _NORMAL, np.nan)
    results = {
        "same": compare(_NORMAL, _NORMAL),
        "constant, same": compare(np.ones(300), np.ones(100)),
        "constant, larger": compare(np.ones(300), np.full(100, 1.5)),
        "constant, smaller": compare(np.ones(300), np.full(100, 0.5)),
        "mostly zero, same": compare(np.repeat([0.0, 1.0], [270, 30]), np.repeat([0.0, 1.0], [90, 10])),
        "mostly zero, gone": compare(np.repeat([0.0, 1.0], [270, 30]), np.ones(100)),
        "missing, new": compare(_NORMAL, some_missing),
        "missing, as before": compare(some_missing, some_missing),
        "all missing, new": compare(_NORMAL, _NAN),
        "all missing, as before": compare(_NAN, _NAN),
        "all missing, no more": compare(_NAN, _NORMAL),
        "infinite": compare(_NORMAL, np.where(_NORMAL > 0, np.inf, _NORMAL)),
        "19 rows": compare(_NORMAL, _NORMAL[:19]),
        "20 rows": compare(_NORMAL, _NORMAL[:20]),
        "no row": compare(_NORMAL, _NORMAL[:0]),
        "small reference": compare(_NORMAL[:19], _NORMAL),
        "columns": refusal(lambda: Reference.of(["x"], np.ones((30, 1))).compare(np.ones((30, 2)))),
        "names": refusal(lambda: Reference.of(["x"], np.ones((30, 2)))),
        "labels": refusal(lambda: Reference.of(["a b", "a_b"], np.ones((30, 2)))),
        "many": refusal(lambda: Reference.of([f"f{i}" for i in range(101)], np.ones((30, 101)))),
        "false alarms": false_alarms(),
        "file": kept_and_read(),
    }
    print("RESULT " + json.dumps(results))


if __name__ == "__main__":
    main()
