"""Alert rules as data.

Decides what is in a rule file. Cannot decide whether Prometheus accepts it: see tests/configs/alerts.
"""

import pytest
import yaml

from configs.rules import AlertRule, RuleGroup, render, runbook, unique_names

FULL = AlertRule(
    name="TankFull",
    expression="level > 3",
    severity="warning",
    summary="{{ $labels.tank }} is full",
    description="It runs over.",
)
WATCHED = AlertRule(
    name="TankEmpty",
    expression="level == 0",
    severity="critical",
    summary="{{ $labels.tank }} is empty",
    description="Nothing comes.",
    hold=90,
    links={"run": "http://127.0.0.1:8080/dags/{{ $labels.dag_id }}"},
    labels={"service": "{{ $labels.job }}"},
)


def group_of(text):
    [group] = yaml.safe_load(text)["groups"]
    return group


def test_a_rule_without_anything_special():
    group = group_of(render(RuleGroup(component="tanks", rules=(FULL,)), runbooks="docs/runbooks"))
    assert group == {
        "name": "tanks",
        "rules": [
            {
                "alert": "TankFull",
                "expr": "level > 3",
                "labels": {"severity": "warning", "component": "tanks"},
                "annotations": {
                    "summary": "{{ $labels.tank }} is full",
                    "description": "It runs over.",
                    "runbook": "docs/runbooks/tanks.md#tankfull",
                },
            }
        ],
    }


def test_a_rule_with_everything():
    group = group_of(
        render(RuleGroup(component="tanks", rules=(FULL, WATCHED), interval=15), runbooks="http://pages")
    )
    rule = group["rules"][1]
    assert group["interval"] == "15s"
    assert rule["for"] == "90s"
    assert rule["labels"] == {"severity": "critical", "component": "tanks", "service": "{{ $labels.job }}"}
    assert rule["annotations"]["run"] == "http://127.0.0.1:8080/dags/{{ $labels.dag_id }}"
    assert rule["annotations"]["runbook"] == "http://pages/tanks.md#tankempty"


def test_a_page_and_its_heading():
    assert runbook("statsd-exporter", "StatsdDrops") == "statsd-exporter.md#statsddrops"


def test_two_alerts_of_one_name_are_refused_wherever_they_are():
    groups = (RuleGroup(component="a", rules=(FULL, WATCHED)), RuleGroup(component="b", rules=(FULL,)))
    with pytest.raises(ValueError, match="two alerts or groups are named TankFull"):
        unique_names(groups)
    unique_names(groups[:1])
