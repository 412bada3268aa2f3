"""Delete Jaeger's daily indices once all that they hold is past its age; look every hour, for ever.

Runs alone inside a container, so it needs Python's standard library and nothing else. Each pass that succeeds
renews the file ``--done``, by whose age the container's probe judges. A pass that fails prints why, and is
repeated after a minute. The password is read anew for each pass, and never printed.
"""

import argparse
import base64
import json
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

_LOOK_SECONDS = 3600
_REPEAT_SECONDS = 60
_MOST_FAILURES = 120
_ANSWER_SECONDS = 30
_LONGEST_ANSWER = 500


def expired(names: Iterable[str], *, prefix: str, keep_days: int, today: date) -> list[str]:
    """The indices among ``names`` whose youngest span is older than ``keep_days`` days.

    Only names of daily indices that begin with ``prefix`` are ever in the answer.

    Args:
        names: indices of any kind.
        prefix: Jaeger's own setting ``index_prefix``.
        keep_days: how many whole days a span is kept.
        today: the date in UTC, by which Jaeger names its indices.
    """
    pattern = re.compile(rf"{re.escape(prefix)}-jaeger-[a-z]+-(\d{{4}}-\d{{2}}-\d{{2}})")
    # A span at the end of the index's day becomes that old at the end of the day `keep_days` later.
    oldest = (today - timedelta(days=keep_days)).isoformat()
    dated = ((name, found[1]) for name in names if (found := pattern.fullmatch(name)))
    return sorted(name for name, day in dated if day < oldest)


class Store:
    """Elasticsearch, asked as one user."""

    def __init__(self, url: str, user: str, password_file: Path) -> None:
        """``url`` has no slash at its end."""
        self._url = url
        self._user = user
        self._password_file = password_file

    def indices(self, prefix: str) -> list[str]:
        """Names of the indices of a prefix.

        Raises:
            OSError: the server cannot be reached, or refuses; the message has its own words.
        """
        answer = self._ask("GET", f"/_resolve/index/{prefix}-jaeger-*")
        return [index["name"] for index in json.loads(answer)["indices"]]

    def delete(self, name: str) -> None:
        """Delete one index; one that is gone already is no error.

        Raises:
            OSError: the server cannot be reached, or refuses; the message has its own words.
        """
        self._ask("DELETE", f"/{name}?ignore_unavailable=true")

    def _ask(self, method: str, path: str) -> str:
        password = self._password_file.read_text(encoding="utf-8").rstrip("\n")
        login = base64.b64encode(f"{self._user}:{password}".encode()).decode()
        asked = urllib.request.Request(
            self._url + path, method=method, headers={"Authorization": f"Basic {login}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=_ANSWER_SECONDS) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                words = refusal.read().decode(errors="replace")[:_LONGEST_ANSWER]
            raise OSError(f"{method} {path} answered {refusal.code}: {words}") from refusal


def clean(store: Store, *, prefix: str, keep_days: int, today: date) -> None:
    """One pass: delete what is expired and say so.

    Raises:
        OSError: see :class:`Store`.
        ValueError: the answer is not Elasticsearch's.
    """
    for name in expired(store.indices(prefix), prefix=prefix, keep_days=keep_days, today=today):
        store.delete(name)
        print(f"deleted {name}", flush=True)


def main() -> None:
    """Clean for ever, or until it has failed for two hours."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password-file", required=True, type=Path)
    parser.add_argument("--prefix", required=True)
    parser.add_argument("--keep-days", required=True, type=int)
    parser.add_argument("--done", required=True, type=Path)
    told = parser.parse_args()
    store = Store(told.url, told.user, told.password_file)
    failures = 0
    while failures < _MOST_FAILURES:
        try:
            clean(store, prefix=told.prefix, keep_days=told.keep_days, today=datetime.now(UTC).date())
        except (OSError, ValueError) as problem:
            print(f"not cleaned: {problem}", flush=True)
            failures += 1
            time.sleep(_REPEAT_SECONDS)
        else:
            failures = 0
            told.done.touch()
            time.sleep(_LOOK_SECONDS)
    # The engine starts it again, and the alert about restarts tells.
    sys.exit(f"error: not cleaned {failures} times in a row")


if __name__ == "__main__":
    main()
