"""A webhook on the stack's network for as long as something is measured."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from docker.models.containers import Container

from components.naming import physical_name
from measure.containers import temporary
from measure.stack import INSIDE, MeasureError, Stack, in_background, lines

HOST = "alert-receiver"
PORT = 8080
URL = f"http://{HOST}:{PORT}/alerts"
"""What ``secrets.alert_webhook_url`` must be, so that the stack's own Alertmanager tells this receiver."""

_SECRET = "secrets.alert_webhook_url"
_OTHERS = ("alertmanager.email_to", "secrets.slack_webhook_url", "secrets.pagerduty_routing_key")
_POLL_SECONDS = 0.05


@dataclass
class Receiver:
    """What has arrived.

    Attributes:
        container: the running webhook.
        arrived: path -> run id -> time of the first message about it.
        alerts: every alert of every message, in the order of arrival.
    """

    container: Container
    arrived: dict[str, dict[str, float]] = field(default_factory=dict)
    alerts: list[Mapping[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what it writes down from now on."""
        self._lines = in_background(lines(self.container.logs(stream=True, follow=True)))

    def wait(self, path: str, run_id: str, *, seconds: float) -> float | None:
        """When a message about the run arrived at the path; None if there was none in time."""
        deadline = time.monotonic() + seconds
        while run_id not in self.seen(path):
            if time.monotonic() > deadline:
                return None
            time.sleep(_POLL_SECONDS)
        return self.arrived[path][run_id]

    def seen(self, path: str) -> Mapping[str, float]:
        """The runs about which messages have arrived at the path so far.

        Raises:
            MeasureError: the webhook has ended.
        """
        while not self._lines.empty():
            line = self._lines.get()
            if not isinstance(line, str):
                message = f"the webhook {self.container.name} has ended: {line or 'nobody knows why'}"
                raise MeasureError(message)
            said = json.loads(line)
            self.alerts.append(said["alert"])
            run_id = said["alert"]["labels"].get("run_id")
            if run_id and said["alert"]["status"] == "firing":
                self.arrived.setdefault(said["path"], {}).setdefault(run_id, said["time"])
        return self.arrived.get(path, {})

    def told(self, status: str, alertname: str, **labels: str) -> list[Mapping[str, Any]]:
        """The alerts with these labels about which a message ``firing`` or ``resolved`` has arrived."""
        self.seen("")
        wanted = {"alertname": alertname, **labels}
        return [
            alert
            for alert in self.alerts
            if alert["status"] == status and wanted.items() <= alert["labels"].items()
        ]


def check_webhook(stack: Stack) -> None:
    """Make sure that the stack's Alertmanager tells the receiver, and nobody else.

    Raises:
        MeasureError: it tells somebody else, or nobody.
    """
    others = [key for key in _OTHERS if stack.config(key)]
    if others:
        message = (
            f"the stack {stack.name} has {', '.join(others)}: people would be told of failures that are made "
            "for measuring; measure a stack that tells this receiver alone"
        )
        raise MeasureError(message)
    told = stack.config(_SECRET)
    if told == URL:
        return
    found = "posts its alerts to another webhook" if told else "has no webhook for its alerts"
    message = (
        f"the stack {stack.name} {found}; for the time of measuring set\n"
        f"    pulumi config set --secret {_SECRET} {URL} --stack {stack.name}\n"
        f"    make up STACK={stack.name}\n"
        f"and afterwards `pulumi config rm {_SECRET} --stack {stack.name}` and `make up` again"
    )
    raise MeasureError(message)


@contextmanager
def receiving(stack: Stack) -> Iterator[Receiver]:
    """A receiver that has been started, removed afterwards."""
    program = "/opt/receive_alerts.py"
    with temporary(
        stack,
        physical_name(stack.name, HOST),
        image=stack.container("airflow-scheduler").image.id,
        alias=HOST,
        user="50000:0",
        entrypoint=["python", program, str(PORT)],
        files={program: (INSIDE / "receive_alerts.py").read_text(encoding="utf-8")},
    ) as container:
        yield Receiver(container)
