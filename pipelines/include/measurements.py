"""Validation of the tumour measurements that the breast-cancer pipeline takes in; standard library only."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

Row: TypeAlias = Mapping[str, object]

LABEL = "diagnosis"
CLASSES = (0, 1)

# By which power of the instrument's scale a measurement changes; the others are ratios.
_POWERS = {"radius": 1, "perimeter": 1, "area": 2, "texture": 1}


def complaint(row: Row, features: Sequence[str]) -> str | None:
    """Say why a row cannot be used, or return None. Measurements are sizes and ratios: not negative."""
    for feature in features:
        value = row.get(feature)
        if value is None:
            return f"{feature} is missing"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"{feature} is not a number"
        if not math.isfinite(value):
            return f"{feature} is not finite"
        if value < 0:
            return f"{feature} is negative"
    if row.get(LABEL) not in CLASSES:
        return f"{LABEL} is neither {CLASSES[0]} nor {CLASSES[1]}"
    return None


def split_valid(rows: Iterable[Row], features: Sequence[str]) -> tuple[list[Row], list[tuple[int, str]]]:
    """Return the usable rows, and the number (from 0) and complaint of each row that is not."""
    valid: list[Row] = []
    rejected: list[tuple[int, str]] = []
    for number, row in enumerate(rows):
        reason = complaint(row, features)
        if reason is None:
            valid.append(row)
        else:
            rejected.append((number, reason))
    return valid, rejected


def malformed(row: Row, features: Sequence[str]) -> list[Row]:
    """Return five spoilt copies of ``row``, one for each way in which such files are wrong in practice.

    The data set that comes with scikit-learn is clean; with these, every run also shows what a rejection is.
    """
    first, second = features[0], features[1]
    return [
        {key: value for key, value in row.items() if key != first},
        {**row, first: "17,99"},
        {**row, first: math.nan},
        {**row, second: -1.0},
        {**row, LABEL: 2},
    ]


def miscalibration(features: Sequence[str], scale: float) -> list[float]:
    """Return each measurement's factor if the instrument shows sizes and textures ``scale`` times too large.

    As a microscope does whose magnification and lamp are set wrongly; shapes stay what they are.
    """
    return [scale ** _power(feature) for feature in features]


def _power(feature: str) -> int:
    return next((power for word, power in _POWERS.items() if word in feature.split()), 0)
