"""What a service says about when somebody must act; Prometheus and Alertmanager are given the collection."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

Severity = Literal["critical", "warning", "info", "none"]
"""Critical: act now. Warning: act today. Info: good to know. None: a heartbeat, no finding."""


@dataclass(frozen=True, kw_only=True)
class AlertRule:
    """One alert.

    Attributes:
        name: the label ``alertname``, unique within the stack.
        expression: PromQL; each series of its answer is one alert.
        severity: how soon somebody must act.
        summary: one line that names the subject: DAG, task, host or container, by ``{{ $labels... }}``.
        description: what it means and what follows from it.
        hold: seconds that the expression must hold before the alert fires.
        links: annotation -> URL, see :class:`configs.links.Links`.
        labels: further labels; templates are allowed.
        born_by_event: metrics of the expression that a healthy service does not have until something happens,
            or selectors (``metric{label="value"}``) where only some of the metric's series are so.
    """

    name: str
    expression: str
    severity: Severity
    summary: str
    description: str
    hold: int = 0
    links: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    born_by_event: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True)
class RuleGroup:
    """The alerts of one component, evaluated together.

    Attributes:
        component: the label ``component`` of all its alerts, and the name of their page in ``docs/runbooks``.
        interval: seconds between evaluations; None for the stack's own interval.
    """

    component: str
    rules: tuple[AlertRule, ...]
    interval: int | None = None


@dataclass(frozen=True, kw_only=True)
class Inhibition:
    """While an alert named ``source`` fires, those that match ``targets`` are not sent to anybody.

    Attributes:
        targets: matchers in Alertmanager's notation, such as ``component="kibana"``; all must match.
        equal: labels that must have the same value in both.
    """

    source: str
    targets: tuple[str, ...]
    equal: tuple[str, ...] = ()


def render(group: RuleGroup, *, runbooks: str) -> str:
    """Return the rule file of one group; ``runbooks`` is where the pages of ``docs/runbooks`` are read."""
    content: dict[str, Any] = {"name": group.component}
    if group.interval is not None:
        content["interval"] = f"{group.interval}s"
    content["rules"] = [_rule(rule, group.component, runbooks) for rule in group.rules]
    return yaml.safe_dump({"groups": [content]}, sort_keys=False, width=1000, allow_unicode=True)


def runbook(component: str, alert: str) -> str:
    """The part of a runbook's address below the runbooks' own: the page and the heading."""
    return f"{component}.md#{alert.lower()}"


def _rule(rule: AlertRule, component: str, runbooks: str) -> dict[str, Any]:
    made: dict[str, Any] = {"alert": rule.name, "expr": rule.expression}
    if rule.hold:
        made["for"] = f"{rule.hold}s"
    made["labels"] = {"severity": rule.severity, "component": component, **rule.labels}
    made["annotations"] = {
        "summary": rule.summary,
        "description": rule.description,
        "runbook": f"{runbooks}/{runbook(component, rule.name)}",
        **rule.links,
    }
    return made


def unique_names(groups: Iterable[RuleGroup]) -> None:
    """Refuse two alerts, or two groups, of one name, which nobody could tell apart.

    Raises:
        ValueError: naming those that are there twice.
    """
    every = list(groups)
    names = [group.component for group in every] + [rule.name for group in every for rule in group.rules]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"two alerts or groups are named {', '.join(twice)}"
        raise ValueError(message)
