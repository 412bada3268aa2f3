"""Plain progress lines, and commands whose output goes to a log file."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from toolchain.paths import log_home

_PROGRESS_SECONDS = 30
_TAIL_LINES = 20


class BootstrapError(Exception):
    """A failure with a message that tells the user what to do; shown without a traceback."""


def say(message: str) -> None:
    """Print one progress line."""
    print(f"==> {message}", file=sys.stderr, flush=True)


def run_logged(
    title: str,
    command: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 3600,
) -> None:
    """Run ``command`` with its output in a log file, saying every half minute that it is still at work.

    Raises:
        BootstrapError: the command failed or outlived ``timeout`` seconds; carries the log's last lines.
    """
    log = log_home() / f"{title.replace('/', '-').replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    say(f"{title} (log: {log})")
    started = time.monotonic()
    with log.open("w") as sink:
        sink.write(f"$ {' '.join(map(str, command))}\n")
        sink.flush()
        with subprocess.Popen(
            [str(word) for word in command], cwd=cwd, env=env, stdout=sink, stderr=subprocess.STDOUT
        ) as process:
            while True:
                try:
                    code = process.wait(timeout=_PROGRESS_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    elapsed = time.monotonic() - started
                    if elapsed > timeout:
                        process.kill()
                        process.wait()
                        message = f"{title}: gave up after {timeout:.0f} s; see {log}"
                        raise BootstrapError(message) from None
                    say(f"{title}: {elapsed:.0f} s so far")
    if code:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        message = f"{title} failed with exit code {code}; the end of {log}:\n{tail}"
        raise BootstrapError(message)
    say(f"{title}: done in {time.monotonic() - started:.0f} s")
