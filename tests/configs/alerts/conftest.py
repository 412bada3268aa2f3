"""Hands alert rules and their cases to promtool, as few times as possible: a container run takes a second."""

import subprocess
from collections.abc import Callable, Mapping

import pytest
from alert_cases import rule_files

from configs.rules import RuleGroup

_USER = "65534:0"

Verdict = tuple[bool, str]


@pytest.fixture(scope="module")
def promtool(run_in_image) -> Callable[..., Verdict]:
    """Run promtool with ``files``: whether it is content, and what it said."""

    def run(*words: str, files: Mapping[str, str]) -> Verdict:
        done: subprocess.CompletedProcess[bytes] = run_in_image(
            "prometheus", list(words), files, user=_USER, entrypoint="/bin/promtool"
        )
        return done.returncode == 0, (done.stdout + done.stderr).decode()

    return run


@pytest.fixture(scope="module")
def judge(promtool) -> Callable[[RuleGroup, Mapping[str, str]], Verdict]:
    """Run the test files ``tests`` on the rules of ``group``."""

    def run(group: RuleGroup, tests: Mapping[str, str]) -> Verdict:
        return promtool("test", "rules", *tests, files=rule_files(group) | tests)

    return run
