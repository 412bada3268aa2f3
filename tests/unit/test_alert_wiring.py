"""What the modules of alerts declare is handed on by the components, and reaches those who need it.

Decides whether every alert is in Prometheus's files, and every inhibition in Alertmanager's. Cannot decide
whether they are right: see tests/configs/alerts.
"""

import importlib
import pkgutil
from collections.abc import Callable

import pytest
import yaml
from recorder import Recorder

import configs.alerts
from configs import alertmanager
from configs.links import Links

MODULES = {
    name: importlib.import_module(f"configs.alerts.{name}")
    for _, name, _ in pkgutil.iter_modules(configs.alerts.__path__)
}
LINKS = Links(stack="dev", airflow="", prometheus="")


@pytest.fixture(scope="module")
def uploads(run_program: Callable[..., Recorder]) -> Callable[[str], dict[str, str]]:
    """The files of a service of the stack ``dev``, in which every service is on."""
    containers = run_program("dev").of("Container")

    def of(service: str) -> dict[str, str]:
        return {each["file"]: each["content"] for each in containers[service].inputs["uploads"]}

    return of


@pytest.mark.parametrize("module", [name for name in MODULES if hasattr(MODULES[name], "INHIBITIONS")])
def test_inhibitions_reach_alertmanager(uploads, module):
    inhibitions = MODULES[module].INHIBITIONS
    text = alertmanager.render(
        inhibitions, receivers=(), mail=None, slack_channel="", repeat_interval=3600, templates=""
    )
    declared = yaml.safe_load(text)["inhibit_rules"]
    assert len(declared) == len(inhibitions) > 0
    given = yaml.safe_load(uploads("alertmanager")["/etc/alertmanager/alertmanager.yml"])["inhibit_rules"]
    assert [rule for rule in declared if rule not in given] == []


@pytest.mark.parametrize("module", MODULES)
def test_alerts_reach_prometheus(uploads, module):
    files = [yaml.safe_load(text) for path, text in uploads("prometheus").items() if "/rules/" in path]
    given = {
        (group["name"], rule["alert"])
        for file in files
        for group in file["groups"]
        for rule in group["rules"]
    }
    declared = {
        (group.component, rule.name) for group in MODULES[module].groups(LINKS) for rule in group.rules
    }
    assert declared
    assert declared <= given
