"""Hands alert rules and their cases to promtool, as few times as possible: a container run takes a second."""

import subprocess
from collections.abc import Callable, Iterable, Mapping

import pytest
from alert_cases import complaints, rule_files

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
def judge(promtool) -> Callable[[Iterable[RuleGroup], Mapping[str, str]], dict[str, str]]:
    """Run the test files ``tests`` on the rules of ``groups``: what is said against each, or nothing."""

    def run(groups: Iterable[RuleGroup], tests: Mapping[str, str]) -> dict[str, str]:
        files = {path: text for group in groups for path, text in rule_files(group).items()}
        _, said = promtool("test", "--junit=/dev/stdout", "rules", *tests, files=files | tests)
        begin, end = said.find("<testsuites"), said.find("</testsuites>")
        assert begin < end, said
        found = complaints(said[begin : end + len("</testsuites>")])
        assert set(found) == set(tests), said
        return found

    return run
