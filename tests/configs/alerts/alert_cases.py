"""Cases of alerts, and what promtool is given and says of them.

A case says which alerts fire at one moment of a made-up history. It is asked of the series ``ALERTS``, since
promtool's own tests of alerts compare the text of every annotation, which no case should repeat.
"""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from configs.rules import AlertRule, RuleGroup, render

_DIRECTORY = "/etc/prometheus"
_DEFAULT_EVALUATION_SECONDS = 5
_RUNBOOKS = "https://runbooks.example"
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
_RENDERED = re.compile(r"Labels:\{(?P<labels>.*)\}\s*\n\s*Annotations:\{(?P<annotations>.*)\}")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What fires at ``at``, given ``series`` in promtool's notation with a sample every ``interval``.

    Attributes:
        fires: labels of each alert, without those that the rule itself fixes; empty when it stays silent.
    """

    name: str
    series: Mapping[str, str]
    at: str
    fires: list[Mapping[str, str]] = field(default_factory=list)
    interval: str = "15s"

    def __post_init__(self) -> None:
        """Refuse ``0x5`` without quotes, which YAML reads as the number five."""
        for series, values in self.series.items():
            if not isinstance(values, str):
                message = f"{self.name}: the values of {series} are the number {values}: quote them"
                raise TypeError(message)


class _Strict(yaml.SafeLoader):
    """Refuses a key that stands twice, since the first one's cases would be lost."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[str, Any]:
    pairs = [(loader.construct_object(key, deep=True), value) for key, value in node.value]
    made = {key: loader.construct_object(value, deep=True) for key, value in pairs}
    if len(made) < len(pairs):
        raise yaml.constructor.ConstructorError(
            "in a mapping", node.start_mark, "a key stands twice", node.start_mark
        )
    return made


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_cases(path: Path) -> dict[str, list[Case]]:
    """The cases of a component by the names of its alerts."""
    content = yaml.load(path.read_text(), _Strict) or {}
    return {alert: [Case(**case) for case in cases] for alert, cases in content.items()}


def rule_path(alert: str) -> str:
    return f"{_DIRECTORY}/{alert}.rules.yml"


def rule_files(group: RuleGroup) -> dict[str, str]:
    """A file for each rule of the group, so that a case evaluates the one that it is about."""
    return {
        rule_path(rule.name): render(replace(group, rules=(rule,)), runbooks=_RUNBOOKS)
        for rule in group.rules
    }


def decision_path(alert: str) -> str:
    return f"{_DIRECTORY}/{alert}.test.yml"


def disclosure_path(alert: str) -> str:
    return f"{_DIRECTORY}/{alert}.show.yml"


def decisions(group: RuleGroup, cases: Mapping[str, list[Case]]) -> dict[str, str]:
    """The test files that compare what fires with what is expected."""
    return {
        decision_path(rule.name): _test_file(
            group, rule, [_decision(group, rule, case) for case in cases.get(rule.name, [])]
        )
        for rule in group.rules
    }


def disclosures(group: RuleGroup, cases: Mapping[str, list[Case]]) -> dict[str, str]:
    """Test files that fail for every alert that fires, so that promtool shows it with its annotations."""
    return {
        disclosure_path(rule.name): _test_file(
            group, rule, [_disclosure(rule, case) for case in cases.get(rule.name, []) if case.fires]
        )
        for rule in group.rules
    }


def _test_file(group: RuleGroup, rule: AlertRule, tests: Iterable[Mapping[str, Any]]) -> str:
    content = {
        "rule_files": [rule_path(rule.name)],
        "evaluation_interval": f"{group.interval or _DEFAULT_EVALUATION_SECONDS}s",
        "tests": list(tests),
    }
    return yaml.safe_dump(content, sort_keys=False, width=1000)


def _history(rule: AlertRule, case: Case) -> dict[str, Any]:
    return {
        "name": f"{rule.name}: {case.name}",
        "interval": case.interval,
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
    }


def _decision(group: RuleGroup, rule: AlertRule, case: Case) -> dict[str, Any]:
    fixed = {name: value for name, value in rule.labels.items() if "{{" not in value}
    always = {"alertname": rule.name, "alertstate": "firing"}
    always |= {"severity": rule.severity, "component": group.component, **fixed}
    # The comment makes promtool name the case in its complaint.
    expression = f"{_series({'alertname': rule.name, 'alertstate': 'firing'})} # {case.name}"
    expected = [{"labels": _series(always | _texts(labels)), "value": 1} for labels in case.fires]
    test = {"expr": expression, "eval_time": case.at, "exp_samples": expected}
    return _history(rule, case) | {"promql_expr_test": [test]}


def _disclosure(rule: AlertRule, case: Case) -> dict[str, Any]:
    test = {"eval_time": case.at, "alertname": rule.name, "exp_alerts": []}
    return _history(rule, case) | {"alert_rule_test": [test]}


def _texts(labels: Mapping[str, Any]) -> dict[str, str]:
    for name, value in labels.items():
        if not isinstance(value, str | int) or isinstance(value, bool):
            message = f"the label {name} is {value!r}, which is no text: quote it"
            raise TypeError(message)
    return {name: str(value) for name, value in labels.items()}


def _series(labels: Mapping[str, str]) -> str:
    inside = ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(labels.items()))
    return f"ALERTS{{{inside}}}"


@dataclass(frozen=True)
class Rendered:
    """One alert as it is sent."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


def rendered(report: str) -> Iterator[Rendered]:
    """The alerts that promtool shows in its complaints."""
    for found in _RENDERED.finditer(report):
        yield Rendered(_pairs(found["labels"]), _pairs(found["annotations"]))


def complaints(report: str) -> dict[str, str]:
    """What promtool's report in JUnit's form says against each test file; nothing when it is content."""
    return {
        suite.attrib["name"]: "\n".join(
            found.text or "no reason given" for found in suite.iter() if found.tag in ("failure", "error")
        )
        for suite in ET.fromstring(report).iter("testsuite")
    }


def _pairs(text: str) -> dict[str, str]:
    return {name: json.loads(f'"{value}"') for name, value in _LABEL.findall(text)}
