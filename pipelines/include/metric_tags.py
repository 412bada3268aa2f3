"""What Airflow's StatsD client sends as tags, for all that send metrics of their own; standard library only.

The folder of this file is on Python's path in every Airflow container, see ``ml_metrics``.
"""

import re
from collections.abc import Mapping

# More than this and the client drops the metric: name, tags and the separators between them.
_MAX_LENGTH = 250
_NOT_IN_TAG = re.compile(r"[^A-Za-z0-9_./-]+")


def tag_value(value: str) -> str:
    """Return the value with underscores for what the wire format cannot hold, such as spaces and colons."""
    return _NOT_IN_TAG.sub("_", value) or "none"


def safe_tags(metric: str, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags with values as :func:`tag_value` makes them.

    Raises:
        ValueError: with these tags, ``metric`` would be too long to be sent.
    """
    safe = {key: tag_value(value) for key, value in tags.items()}
    length = len(metric) + sum(len(key) + len(value) + 2 for key, value in safe.items())
    if length > _MAX_LENGTH:
        message = f"metric {metric} with its labels has {length} characters; at most {_MAX_LENGTH} are sent"
        raise ValueError(message)
    return safe
