"""What is wrong with a stack's settings, all of it at once, one line for each setting."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

_LONGEST_SHOWN = 60
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.:*-]{1,80}", re.ASCII)


@dataclass(frozen=True, order=True)
class Problem:
    """One line of the report: the dotted ``key`` that is wrong, and what is wrong and accepted."""

    key: str
    message: str

    def __str__(self) -> str:
        """The line as shown."""
        return f"{shown_key(self.key)}: {self.message}"


class SettingsError(Exception):
    """Settings that cannot be used; the message lists every problem, sorted by key."""

    def __init__(self, problems: Iterable[Problem], *, stack: str) -> None:
        self.problems = tuple(sorted(set(problems)))
        lines = [f"the settings of stack {shown(stack)} cannot be used; nothing has been changed:"]
        super().__init__("\n".join([*lines, *(f"  {problem}" for problem in self.problems)]))


def shown(value: str) -> str:
    """A value as it may stand in a message: quoted, on one line, cut when it is long."""
    cut = value if len(value) <= _LONGEST_SHOWN else value[:_LONGEST_SHOWN] + "…"
    return ascii(cut).replace("\\u2026", "…")


def shown_key(key: str) -> str:
    """A key as it may stand in a message: as it is when it is plain, else like a value."""
    return key if _PLAIN_KEY.fullmatch(key) else shown(key)


def suggestion(key: str, known: Iterable[str]) -> str:
    """``; did you mean …?`` with the known key nearest to a misspelt one, or nothing.

    A key without its section (``port``, ``parallelism``) is compared with the last part of the known ones.
    """
    keys = list(known)
    wanted = key[:_LONGEST_SHOWN].lower()
    found = difflib.get_close_matches(wanted, keys, n=1, cutoff=0.75)
    if not found:
        last_parts = {full.rpartition(".")[2]: full for full in keys}
        last = difflib.get_close_matches(wanted.rpartition(".")[2], list(last_parts), n=1, cutoff=0.8)
        found = [last_parts[part] for part in last]
    return f"; did you mean {found[0]}?" if found else ""
