"""Alertmanager's messages, taken by doubles of all receivers.

Decides who is told of which alert, how soon, how often and in which words, by the version of this image set.
Cannot decide what Slack, PagerDuty or a real mail server make of a message, nor how soon Prometheus notices.
"""

import email
import email.policy
import json
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from configs import alertmanager
from configs.alertmanager import Mail
from configs.rules import Inhibition

CONFIG = "/etc/alertmanager/alertmanager.yml"
MESSAGES = "/etc/alertmanager/messages.tmpl"
DOUBLE = Path(__file__).parents[1] / "doubles" / "receivers.py"
URLS = ("alert_webhook_url", "slack_webhook_url", "watchdog_url")
WEBHOOK, SLACK, WATCHDOG = (f"/{name}" for name in URLS)
PAGERDUTY, MAIL = "/pagerduty", "mail"
TO = "a@example.org, b@example.org"
INHIBITIONS = (Inhibition(source="HostDown", targets=('component="containers"',), equal=("host",)),)
TEXTS = {
    "summary": "DAG shop failed & stopped",
    "description": "Its task <load> failed.",
    "runbook": "docs/runbooks/airflow.md#airflowdagrunfailed",
    "run": "http://127.0.0.1:8080/dags/any/runs/manual__2026-01-01T00%3A00%3A00%2B00%3A00",
    "logs": "http://127.0.0.1:5601/app/discover#/?_a=(query:(query:'airflow.dag_id%3A%22shop%22'))",
}


def alert(alertname, component="airflow", severity="critical", *, ends=None, **labels):
    """An alert as Prometheus sends it; its ``dag`` link tells the messages apart."""
    own = {"alertname": alertname, "component": component, "severity": severity, "stack": "dev"}
    dag = {"dag": f"http://127.0.0.1:8080/dags/{labels.get('dag_id', component)}"}
    end = {"endsAt": ends.isoformat()} if ends else {}
    return {"labels": own | labels, "annotations": TEXTS | dag, **end}


def mail_of(message):
    return email.message_from_string(message["content"], policy=email.policy.default)


def text_of(message):
    if message["path"] != MAIL:
        return message["content"]
    return "".join(part.get_content() for part in mail_of(message).iter_parts())


class Platform:
    """A running Alertmanager and the doubles that it tells."""

    def __init__(self, server, receivers):
        self.server, self.receivers = server, receivers

    def post(self, *alerts):
        """Hand over alerts; returns when."""
        url = self.server.url(9093, "/api/v2/alerts")
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(alerts).encode(), headers)):
            return time.time()

    def received(self, path, word=""):
        """What came by ``path`` with ``word`` in it."""
        with urllib.request.urlopen(self.receivers.url(8000, "/received")) as answer:
            return [each for each in json.load(answer) if each["path"] == path and word in text_of(each)]

    def wait(self, path, word="", *, count=1, seconds=10):
        """The messages, once there are ``count``."""
        deadline = time.monotonic() + seconds
        while len(found := self.received(path, word)) < count:
            assert time.monotonic() < deadline, f"{found} is not {count} messages:\n{self.server.log()}"
            time.sleep(0.1)
        return found

    def states(self):
        """DAG -> the alert's state as Alertmanager shows it."""
        with urllib.request.urlopen(self.server.url(9093, "/api/v2/alerts")) as answer:
            return {each["labels"].get("dag_id"): each["status"] for each in json.load(answer)}


@pytest.fixture(scope="module")
def platform(docker, serve_in_image):
    program = "/tmp/receivers.py"
    files = {program: DOUBLE.read_text()}
    receivers = serve_in_image(
        "airflow", [program], files, user="50000:0", entrypoint="python3", ports=[8000]
    )
    receivers.wait(receivers.url(8000, "/received"))
    networks = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    address = docker("inspect", "--format", networks, receivers.name).stdout.decode().strip()
    secrets = {name: f"http://{address}:8000/{name}" for name in URLS}
    secrets["pagerduty_routing_key"] = "only-for-this-test"
    config = yaml.safe_load(
        alertmanager.render(
            INHIBITIONS,
            receivers=secrets,
            mail=Mail(to=TO, sender="", server=f"{address}:2525", username="", require_tls=False),
            slack_channel="#alerts",
            repeat_interval=14400,
            templates=MESSAGES,
        )
    )
    config["global"]["pagerduty_url"] = f"http://{address}:8000{PAGERDUTY}"
    flags = alertmanager.flags(
        config_file=CONFIG, data="/alertmanager", public_url="http://127.0.0.1:9093", repeat_interval=14400
    )
    content = {CONFIG: yaml.safe_dump(config), MESSAGES: alertmanager.MESSAGES.read_text()}
    content |= {f"/run/secrets/{name}": text for name, text in secrets.items()}
    server = serve_in_image("alertmanager", flags, content, user="65534:0", ports=[9093])
    server.wait(server.url(9093, "/-/ready"))
    running = Platform(server, receivers)
    running.post(alert("Watchdog", "prometheus", "none"))
    return running


def test_a_critical_alert_reaches_everybody_at_once(platform):
    began = platform.post(alert("DagRunFailed", dag_id="shop", run_id="manual__1"))
    [post] = platform.wait(WEBHOOK, "manual__1")
    assert post["at"] - began < 5
    message = json.loads(post["content"])
    assert (message["status"], len(message["alerts"])) == ("firing", 1)
    assert message["alerts"][0]["annotations"].items() >= TEXTS.items()


def test_slack_is_given_text_and_links(platform):
    [post] = platform.wait(SLACK, "/dags/shop")
    message = json.loads(post["content"])
    assert message["channel"] == "#alerts"
    assert message["attachments"][0]["title"] == "[dev] DAG shop failed & stopped"
    text = message["attachments"][0]["text"]
    assert "*DAG shop failed &amp; stopped*\nIts task &lt;load&gt; failed.\n" in text
    assert f"<{TEXTS['run']}|run>" in text
    assert f"<{TEXTS['logs']}|logs>" in text
    assert f"runbook: {TEXTS['runbook']}" in text


def test_pagerduty_is_given_text_and_links(platform):
    [post] = platform.wait(PAGERDUTY, "/dags/shop")
    page = json.loads(post["content"])
    assert page["routing_key"] == "only-for-this-test"
    payload = page["payload"]
    assert (payload["summary"], payload["severity"]) == ("[dev] DAG shop failed & stopped", "critical")
    assert (payload["component"], payload["source"]) == ("airflow", "dev")
    assert TEXTS["runbook"] in payload["custom_details"]["text"]
    links = {link["text"]: link["href"] for link in page["links"]}
    assert links == {
        "dag": "http://127.0.0.1:8080/dags/shop",
        "run": TEXTS["run"],
        "logs": TEXTS["logs"],
    }


def test_mails_are_given_text_and_links(platform):
    [post] = platform.wait(MAIL, "/dags/shop")
    mail = mail_of(post)
    assert (mail["Subject"], mail["To"]) == ("[dev] DAG shop failed & stopped", TO)
    plain = mail.get_body(("plain",)).get_content()
    assert all(text in plain for text in TEXTS.values())
    html = mail.get_body(("html",)).get_content()
    assert "Its task &lt;load&gt; failed." in html
    assert f'<a href="{TEXTS["run"]}">run</a>' in html
    assert TEXTS["runbook"] in html


def test_it_comes_once_and_its_end_is_told(platform):
    platform.post(alert("DagRunFailed", dag_id="ending", run_id="r"))
    platform.wait(WEBHOOK, "ending")
    platform.post(alert("DagRunFailed", dag_id="ending", run_id="r"))
    platform.post(alert("DagRunFailed", dag_id="ending", run_id="r", ends=datetime.now(UTC)))
    posts = platform.wait(WEBHOOK, "ending", count=2, seconds=30)
    assert [json.loads(post["content"])["status"] for post in posts] == ["firing", "resolved"]
    mails = platform.wait(MAIL, "ending", count=2)
    assert [mail_of(mail)["Subject"] for mail in mails] == [
        "[dev] DAG shop failed & stopped",
        "[dev] Resolved: DAG shop failed & stopped",
    ]


def test_each_run_is_told_by_itself_and_a_storm_in_one_message(platform):
    storm = [alert("ContainerDown", "storm", service=f"service{number}") for number in range(20)]
    runs = [alert("DagRunFailed", dag_id="twice", run_id=run) for run in ("r1", "r2")]
    platform.post(*storm, *runs)
    assert len(platform.wait(WEBHOOK, "twice", count=2)) == 2
    [post] = platform.wait(WEBHOOK, "storm")
    assert len(json.loads(post["content"])["alerts"]) == 20
    [post] = platform.wait(SLACK, "storm")
    assert "The first 10 of 20" in json.loads(post["content"])["attachments"][0]["text"]


def test_what_follows_from_another_alert_is_not_told(platform):
    platform.post(
        alert("HostDown", "host", host="one"),
        alert("ContainerDown", "containers", host="one", dag_id="inhibited"),
        alert("ContainerDown", "containers", host="other", dag_id="another"),
    )
    platform.wait(WEBHOOK, "another")
    states = platform.states()
    assert (states["inhibited"]["state"], states["another"]["state"]) == ("suppressed", "active")
    assert platform.received(WEBHOOK, "inhibited") == []


def test_a_warning_about_a_run_is_as_soon_and_nobody_is_paged(platform):
    began = platform.post(alert("TaskFailed", severity="warning", dag_id="warned", run_id="r"))
    [post] = platform.wait(WEBHOOK, "warned")
    assert post["at"] - began < 5
    platform.wait(MAIL, "warned")
    platform.wait(SLACK, "warned")
    assert platform.received(PAGERDUTY, "warned") == []


@pytest.mark.slow
def test_the_watchdog_is_heard_every_minute_by_its_own_receiver(platform):
    first, second = platform.wait(WATCHDOG, count=2, seconds=90)
    assert 55 < second["at"] - first["at"] < 65
    for path in (WEBHOOK, SLACK, PAGERDUTY, MAIL):
        assert platform.received(path, "Watchdog") == []


def test_a_restart_does_not_tell_again(docker, platform):
    assert docker("restart", platform.server.name).returncode == 0
    platform.server.wait(platform.server.url(9093, "/-/ready"))
    platform.post(
        alert("DagRunFailed", dag_id="shop", run_id="manual__1"),
        alert("DagRunFailed", dag_id="afterwards", run_id="r"),
    )
    platform.wait(WEBHOOK, "afterwards")
    assert len(platform.received(WEBHOOK, "/dags/shop")) == 1


def test_the_server_has_nothing_to_complain_of(platform):
    complaints = [line for line in platform.server.log().splitlines() if "level=INFO" not in line]
    assert complaints == []
