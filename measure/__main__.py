"""``python -m measure --stack dev``: a table of how long everything takes; DEFAULTS=1 for a comparison.

Exit code 0 if every target is met, 1 if one is missed, 2 if it could not be measured.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

import requests
from docker.errors import DockerException

from measure import alerts, defaults, logs, spans, statsd
from measure.receiver import Receiver, check_webhook, receiving
from measure.report import table
from measure.sampling import Samples
from measure.stack import MeasureError, Stack, open_stack
from toolchain.console import BootstrapError, say

WAYS = ("logs", "statsd", "spans", "alerts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the table, return the exit code."""
    parser = argparse.ArgumentParser(prog="measure", description=__doc__)
    parser.add_argument("--stack", default="dev", help="a stack that is up")
    parser.add_argument("--only", default=",".join(WAYS), help=f"some of {','.join(WAYS)}")
    chosen = parser.parse_args(arguments)
    ways = chosen.only.split(",")
    if unknown := set(ways) - set(WAYS):
        parser.error(f"{', '.join(sorted(unknown))}: one of {', '.join(WAYS)}")
    compared = os.environ.get("DEFAULTS", "") not in ("", "0")
    measured: list[Samples] = []
    missing = False
    try:
        for samples in _measure(open_stack(chosen.stack), ways, compared=compared):
            say(f"{samples.way}: {len(samples.delays)} samples")
            measured.append(samples)
    except (MeasureError, BootstrapError, DockerException, requests.RequestException) as error:
        say(str(error))
        missing = True
    finally:
        if measured:
            print(table(measured))
    return 2 if missing or not measured else 0 if all(samples.met for samples in measured) else 1


def _measure(stack: Stack, ways: Sequence[str], *, compared: bool) -> Iterator[Samples]:
    """One way after the other, since on a small machine they would slow each other down."""
    if "alerts" in ways:
        check_webhook(stack)
    stored = _on(stack, "elasticsearch", "logs", ways)
    if stored:
        yield logs.sample(stack, lines=1)
        yield logs.sample(stack, lines=20)
        if compared:
            yield defaults.sample_logs(stack)
    if _on(stack, "jaeger", "spans", ways):
        yield spans.sample(stack)
    if "statsd" in ways:
        yield statsd.sample(stack)
    if "alerts" in ways or ("statsd" in ways and compared):
        with receiving(stack) as receiver:
            yield from _told(stack, receiver, ways, compared=compared)


def _told(stack: Stack, receiver: Receiver, ways: Sequence[str], *, compared: bool) -> Iterator[Samples]:
    if "alerts" in ways:
        yield alerts.sample(stack, receiver)
    if compared:
        yield from defaults.sample_metrics(stack, receiver)


def _on(stack: Stack, service: str, way: str, ways: Sequence[str]) -> bool:
    if way in ways and service not in stack.endpoints:
        say(f"{way} are left out: {service} is off in the stack {stack.name}")
    return way in ways and service in stack.endpoints


if __name__ == "__main__":
    sys.exit(main())
