"""Alertmanager's file and flags, judged by amtool.

Decides whether the version of this image set accepts them, and which receiver an alert is routed to. Cannot
decide whether a message arrives: see test_notifications.py.
"""

import importlib
import itertools
import pkgutil
import re

import pytest
import yaml

import configs.alerts
from configs import alertmanager
from configs.alertmanager import Mail
from configs.rules import Inhibition

USER = "65534:0"
CONFIG = "/etc/alertmanager/alertmanager.yml"
MESSAGES = "/etc/alertmanager/messages.tmpl"
SECRETS = ("alert_webhook_url", "slack_webhook_url", "pagerduty_routing_key", "smtp_password", "watchdog_url")
INHIBITIONS = (Inhibition(source="HostDown", targets=('component="containers"',), equal=("host",)),)
MAIL = Mail(
    to="a@example.org, b@example.org",
    sender="",
    server="mail.example.org:587",
    username="keeper",
    require_tls=True,
)


def rendered(receivers=SECRETS, mail=MAIL, inhibitions=INHIBITIONS, **changes):
    options = {"slack_channel": "#alerts", "repeat_interval": 14400, "templates": MESSAGES} | changes
    return alertmanager.render(inhibitions, receivers=receivers, mail=mail, **options)


def files(text):
    return {CONFIG: text, MESSAGES: alertmanager.MESSAGES.read_text()}


def amtool(run_in_image, *words, text):
    done = run_in_image("alertmanager", [*words], files(text), user=USER, entrypoint="/bin/amtool")
    return done.returncode, (done.stdout + done.stderr).decode()


def all_inhibitions():
    names = [module.name for module in pkgutil.iter_modules(configs.alerts.__path__)]
    modules = [importlib.import_module(f"configs.alerts.{name}") for name in names]
    return [each for module in modules for each in getattr(module, "INHIBITIONS", ())]


FILES = {
    f"{'+'.join(receivers) or 'nobody'}, {'mail' if mail else 'no mail'}": rendered(receivers, mail)
    for receivers in (SECRETS, (), *((name,) for name in SECRETS))
    for mail in (MAIL, None)
}
INHIBITING, WRONG = "inhibitions of all components", "wrong"


@pytest.fixture(scope="module")
def said(run_in_image):
    """What amtool says of each file; it is started once for all."""
    texts = FILES | {INHIBITING: rendered(inhibitions=all_inhibitions()), WRONG: rendered() + "surplus: 1\n"}
    named = {f"/etc/alertmanager/{name}.yml": text for name, text in texts.items()}
    content = named | {MESSAGES: alertmanager.MESSAGES.read_text()}
    done = run_in_image(
        "alertmanager", ["check-config", *named], content, user=USER, entrypoint="/bin/amtool"
    )
    parts = re.split(r"Checking '/etc/alertmanager/([^']+)\.yml'", done.stdout.decode())[1:]
    found = dict(zip(parts[::2], parts[1::2], strict=True))
    assert set(found) == set(texts), done.stderr.decode()
    return found


@pytest.mark.parametrize("name", FILES)
def test_amtool_accepts_the_file(said, name):
    assert "SUCCESS" in said[name]
    assert "1 templates" in said[name]


def test_amtool_accepts_the_inhibitions_of_all_components(said):
    assert "SUCCESS" in said[INHIBITING]
    assert f"{len(all_inhibitions())} inhibit rules" in said[INHIBITING]


def test_amtool_would_refuse_a_wrong_file(said):
    assert "FAILED" in said[WRONG]


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=Watchdog severity=none", "watchdog"),
        ("alertname=X severity=critical component=host", "critical"),
        ("alertname=X severity=critical component=airflow dag_id=a run_id=r", "critical"),
        ("alertname=X severity=warning component=airflow dag_id=a run_id=r", "warning"),
        ("alertname=X severity=warning component=host", "warning"),
        ("alertname=X severity=info component=host", "nobody"),
    ],
)
def test_routes(run_in_image, labels, receiver):
    words = ("config", "routes", "test", f"--config.file={CONFIG}", *labels.split())
    assert amtool(run_in_image, *words, text=rendered()) == (0, f"{receiver}\n")


def test_without_receivers_nobody_is_told():
    config = yaml.safe_load(rendered(receivers=(), mail=None))
    assert all(set(receiver) == {"name"} for receiver in config["receivers"])
    assert alertmanager.told(receivers=(), email_to="") == []
    assert alertmanager.told(receivers=("smtp_password", "watchdog_url"), email_to="") == []


def test_who_is_told_is_said_in_words():
    said = alertmanager.told(receivers=SECRETS, email_to="a@example.org", slack_channel="#alerts")
    assert said == ["the webhook", "a@example.org by mail", "Slack #alerts", "PagerDuty"]


def test_only_the_critical_are_paged_and_everybody_is_told_of_the_end():
    receivers = {each["name"]: each for each in yaml.safe_load(rendered())["receivers"]}
    assert set(receivers["critical"]) - set(receivers["warning"]) == {"pagerduty_configs"}
    told = [way for name in ("critical", "warning") for way in itertools.chain(*receivers[name].values())]
    assert all(way["send_resolved"] for way in told if isinstance(way, dict))


def test_secrets_are_read_from_files():
    config = rendered()
    for name in SECRETS:
        assert f"/run/secrets/{name}" in config


def test_a_login_at_the_mail_server_is_given_only_with_a_user():
    config = yaml.safe_load(rendered(mail=Mail(**{**vars(MAIL), "username": ""})))
    assert "smtp_auth_password_file" not in config["global"]
    assert config["global"]["smtp_from"] == "a@example.org"


def test_the_record_of_who_was_told_outlasts_the_interval():
    flags = alertmanager.flags(
        config_file=CONFIG, data="/alertmanager", public_url="", repeat_interval=2592000
    )
    assert "--data.retention=5184000s" in flags
