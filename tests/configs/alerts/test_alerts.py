"""Every alert, judged by promtool on made-up histories: when it fires, when it stays silent, what it says.

Decides whether the rules are accepted, whether each fires and stays silent as its cases say, and whether its
texts and links can be rendered. Cannot decide whether a running stack has the metrics that a rule names, nor
whether the histories are those that a failing service writes.
"""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from alert_cases import (
    Case,
    decision_path,
    decisions,
    disclosure_path,
    disclosures,
    read_cases,
    rendered,
)

import configs.alerts
import configs.dashboards
from configs.links import Links
from configs.rules import AlertRule, RuleGroup, Severity, render, unique_names

CASES = Path(__file__).parent / "cases"
RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks"


def names_in(package) -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


MODULES = names_in(configs.alerts)
EVERYTHING = Links(
    stack="dev",
    airflow="http://127.0.0.1:8080",
    prometheus="http://127.0.0.1:9090",
    grafana="http://127.0.0.1:3000",
    elasticsearch="http://127.0.0.1:9200",
    kibana="http://127.0.0.1:5601",
    jaeger="http://127.0.0.1:16686",
    alertmanager="http://127.0.0.1:9093",
)
THE_LEAST = Links(stack="dev", airflow=EVERYTHING.airflow, prometheus=EVERYTHING.prometheus)

every_module = pytest.mark.parametrize("module", MODULES)


def groups_of(module: str, links: Links = EVERYTHING) -> tuple[RuleGroup, ...]:
    return importlib.import_module(f"configs.alerts.{module}").groups(links)


def all_groups() -> list[RuleGroup]:
    return [group for module in MODULES for group in groups_of(module)]


def cases_of(group: RuleGroup) -> dict[str, list[Case]]:
    return read_cases(CASES / f"{group.component}.yaml")


def test_promtool_accepts_the_rules(promtool):
    files = {
        f"/etc/prometheus/{group.component}-{name}.yml": render(group, runbooks="docs/runbooks")
        for name, links in {"all": EVERYTHING, "least": THE_LEAST}.items()
        for module in MODULES
        for group in groups_of(module, links)
    }
    accepted, report = promtool("check", "rules", "--lint-fatal", *files, files=files)
    assert accepted, report


@pytest.fixture(scope="module")
def decided(judge):
    """What promtool says against the cases of each alert, by test file."""
    groups = all_groups()
    tests = [decisions(group, cases_of(group)) for group in groups]
    return judge(groups, {path: text for files in tests for path, text in files.items()})


@pytest.fixture(scope="module")
def disclosed(judge):
    """What promtool shows of the alerts that fire, by test file."""
    groups = all_groups()
    tests = [disclosures(group, cases_of(group)) for group in groups]
    return judge(groups, {path: text for files in tests for path, text in files.items()})


@every_module
def test_fires_and_stays_silent_as_its_cases_say(decided, module):
    rules = [rule for group in groups_of(module) for rule in group.rules]
    complaints = [decided[decision_path(rule.name)] for rule in rules]
    assert not any(complaints), "\n".join(complaints)


@every_module
def test_every_rule_has_a_case_of_firing_and_one_of_silence(module):
    """A world without any series would prove nothing; a heartbeat, of severity none, is never silent."""
    for group in groups_of(module):
        cases = cases_of(group)
        severities = {rule.name: rule.severity for rule in group.rules}
        assert set(cases) == set(severities)
        for alert, of_it in cases.items():
            heartbeat = severities[alert] == "none"
            assert {bool(case.fires) for case in of_it} == ({True} if heartbeat else {True, False}), alert
            assert heartbeat or all(case.series for case in of_it), alert
            assert len({case.name for case in of_it}) == len(of_it), alert


@every_module
def test_texts_and_links_are_rendered_from_labels_that_are_there(disclosed, module):
    """A label that does not exist is rendered as nothing, without a complaint of anybody."""
    for group in groups_of(module):
        report = "\n".join(disclosed[disclosure_path(rule.name)] for rule in group.rules)
        shown = list(rendered(report))
        assert {alert.labels["alertname"] for alert in shown} == {rule.name for rule in group.rules}, report
        rules = {rule.name: rule for rule in group.rules}
        for alert in shown:
            rule = rules[alert.labels["alertname"]]
            for name, text in {**alert.labels, **alert.annotations}.items():
                assert not re.search(r"<error expanding|<no value>|%!|\{\{", text), (
                    f"{rule.name}: {name}: {text}"
                )
            for name in rule.links:
                assert re.fullmatch(r"https?://[^\s\"<>]+", alert.annotations[name]), f"{rule.name}: {name}"
            own = set(alert.labels) - {"alertname", "severity", "component", *rule.labels}
            assert _needed_labels(rule) <= own, rule.name


@every_module
def test_every_alert_leads_to_its_page_in_the_runbooks(module):
    for group in groups_of(module):
        page = (RUNBOOKS / f"{group.component}.md").read_text()
        headings = re.findall(r"^## (\w+)$", page, re.MULTILINE)
        assert sorted(headings) == sorted(rule.name for rule in group.rules)


@every_module
def test_every_summary_names_the_subject(module):
    """By a label, or by the name of the component where there is one only."""
    for group in groups_of(module):
        name = group.component.replace("-", " ").removesuffix("s")
        for rule in group.rules:
            assert "$labels." in rule.summary or name in rule.summary.lower().replace("-", " "), rule.name
            assert "\n" not in rule.summary, rule.name
            assert rule.description.strip(), rule.name
            assert rule.severity in get_args(Severity), rule.name


def test_names_are_unique():
    groups = all_groups()
    unique_names(groups)
    components = [group.component for group in groups]
    assert len(set(components)) == len(components)


def test_no_case_and_no_page_is_of_a_component_that_is_not_there():
    components = {group.component for group in all_groups()}
    assert {path.stem for path in CASES.glob("*.yaml")} == components
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == components


def test_links_lead_to_dashboards_that_are_there():
    boards = [importlib.import_module(f"configs.dashboards.{name}") for name in names_in(configs.dashboards)]
    there = {board.UID for board in boards if hasattr(board, "UID")}
    links = [link for group in all_groups() for rule in group.rules for link in rule.links.values()]
    assert {uid for link in links for uid in re.findall(r"/d/([\w-]+)", link)} <= there


def test_inhibitions_name_alerts_and_components_that_are_there():
    groups = all_groups()
    names = {rule.name for group in groups for rule in group.rules}
    values = {"alertname": names, "component": {group.component for group in groups}}
    for module in MODULES:
        for inhibition in getattr(importlib.import_module(f"configs.alerts.{module}"), "INHIBITIONS", ()):
            assert inhibition.source in names
            for target in inhibition.targets:
                label, value = re.fullmatch(r'(\w+)=~?"(.+)"', target).groups()
                assert set(value.split("|")) <= values.get(label, {*value.split("|")}), target


RULE = AlertRule(
    name="Full",
    expression="level > 3",
    severity="warning",
    summary="{{ $labels.tank }} is full",
    description="It runs over.",
    hold=30,
)
GROUP = RuleGroup(component="tanks", rules=(RULE,))


RIGHT = {"firing": ([{"tank": "a"}], "2m"), "silence": ([], "85s")}
WRONG = {
    "silence where it fires": ([], "2m"),
    "firing where it is silent": ([{"tank": "a"}], "85s"),
    "another label": ([{"tank": "b"}], "2m"),
    "a label less": ([{}], "2m"),
    "one alert too many": ([{"tank": "a"}, {"tank": "b"}], "2m"),
}


@pytest.fixture(scope="module")
def complaint(judge):
    """What promtool says against right and wrong expectations together."""
    cases = [
        Case(name=name, series={'level{tank="a"}': "1x3 5x20"}, at=at, fires=fires)
        for name, (fires, at) in (RIGHT | WRONG).items()
    ]
    [said] = judge([GROUP], decisions(GROUP, {"Full": cases})).values()
    return said


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_expectation_is_accepted(complaint, name):
    assert f'# {name}"' not in complaint


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_expectation_is_refused_by_name(complaint, name):
    assert f'# {name}"' in complaint


def test_values_that_yaml_takes_for_a_number_are_refused():
    with pytest.raises(TypeError, match="quote them"):
        Case(name="six zeros, so it seems", series={"level": 0x5}, at="1m")


def test_a_key_that_stands_twice_is_refused(tmp_path):
    path = tmp_path / "tanks.yaml"
    path.write_text("Full: []\nFull: []\n")
    with pytest.raises(yaml.YAMLError, match="twice"):
        read_cases(path)


def test_a_broken_template_is_seen(judge):
    rule = AlertRule(
        name="Full",
        expression="level > 3",
        severity="warning",
        summary="{{ $labels.tank }}",
        description="{{ query `absent_metric` | first | value }}",
        links={"page": "http://page.example/{{ $labels.tnak }}"},
    )
    case = Case(
        name="made up", series={'level{tank="a \\"b\\""}': "5x20"}, at="1m", fires=[{"tank": 'a "b"'}]
    )
    group = RuleGroup(component="tanks", rules=(rule,))
    [report] = judge([group], disclosures(group, {"Full": [case]})).values()
    [alert] = rendered(report)
    assert alert.annotations["summary"] == 'a "b"'
    assert "<error expanding template" in alert.annotations["description"]
    assert alert.annotations["page"] == "http://page.example/"
    assert _needed_labels(rule) == {"tank", "tnak"}


def _needed_labels(rule: AlertRule) -> set[str]:
    """The labels that the rule's texts need, without those that they ask for first."""
    texts = [rule.summary, rule.description, *rule.links.values(), *rule.labels.values()]
    named = {name for text in texts for name in re.findall(r"\$labels\.(\w+)", text)}
    asked = {name for text in texts for name in re.findall(r"\{\{-? *(?:if|with) \$labels\.(\w+)", text)}
    return named - asked
