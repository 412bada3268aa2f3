"""The same ways with the upstream default timings of Filebeat, Prometheus and Alertmanager, for a comparison.

A second of each, told the same as the stack's but for its timings, beside the stack's own: it reads the same
files and pages, and writes elsewhere.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from typing import Any

import yaml

from components.naming import physical_name
from configs import filebeat, task_logs
from configs.elasticsearch import SUPERUSER
from configs.secret_files import secret_path
from measure import logs, statsd
from measure.containers import read_files, ready, temporary
from measure.receiver import HOST, PORT, Receiver
from measure.sampling import Samples, follow
from measure.stack import ANSWER_SECONDS, INSIDE, MeasureError, Stack, lines

_COUNT = 20
_GAP_SECONDS = 4
_PATIENCE_SECONDS = 300
_LOGS = "/opt/airflow/logs"
_INDEX = "measure-defaults"
_PATH = "/defaults"
_RULE = "AirflowTaskFailed"
_METRIC = "airflow_task_failed"
_PAGE_PORT = 9101


def sample_logs(stack: Stack) -> Samples:
    """New logs of one short line, by a Filebeat with its default timings.

    Its file identity is ours: by default it would ship no file of less than 1024 bytes at all.
    """
    password = next(
        iter(read_files(stack.container("elasticsearch"), secret_path("elastic_password")).values())
    )
    reader = _as_superuser(stack, password)
    config = "/usr/share/filebeat/filebeat.yml"
    volume = physical_name(stack.name, "airflow", "logs")
    secret = secret_path("filebeat.yml")
    with (
        _index(reader),
        temporary(
            stack,
            physical_name(stack.name, "measure-filebeat"),
            image=stack.container("filebeat").image.id,
            alias="measure-filebeat",
            user="1000:0",
            entrypoint=["filebeat"],
            command=filebeat.command(config, secret),
            files={config: _slow_filebeat(stack.name), secret: filebeat.render_secret(password)},
            volumes={volume: {"bind": _LOGS, "mode": "ro"}},
            port=5066,
        ) as shipper,
    ):
        try:
            ready(shipper, 5066, "/")
            events = stack.run_inside(logs.SERVICE, "write_logs.py", logs.FOLDER, _COUNT, _GAP_SECONDS, 1)
            delays, lost = follow(
                events,
                lambda runs: logs.found(reader, _INDEX, runs),
                count=_COUNT,
                patience=_PATIENCE_SECONDS,
            )
        finally:
            logs.remove(stack)
    return Samples(way="… with Filebeat's default timings", delays=delays, lost=lost)


def sample_metrics(stack: Stack, receiver: Receiver) -> tuple[Samples, Samples]:
    """StatsD events, and failures from the exporter's page to the webhook, by default timings."""
    with _alertmanager(stack), _prometheus(stack) as url:
        events = statsd.send(stack, count=_COUNT, gap=_GAP_SECONDS)
        delays, lost = follow(
            events,
            lambda moments: statsd.found(stack, url, moments),
            count=_COUNT,
            patience=_PATIENCE_SECONDS,
        )
        event = Samples(way="… with Prometheus's default timings", delays=delays, lost=lost)
        delays, lost = _follow_failures(stack, receiver)
        way = "… from the exporter's page on, with Prometheus's and Alertmanager's default timings"
        return event, Samples(way=way, delays=delays, lost=lost)


def _follow_failures(stack: Stack, receiver: Receiver) -> tuple[tuple[float, ...], int]:
    program = "/opt/show_failures.py"
    with temporary(
        stack,
        physical_name(stack.name, "measure-failures"),
        image=stack.container("airflow-scheduler").image.id,
        alias="measure-failures",
        user="50000:0",
        entrypoint=["python", program, str(_PAGE_PORT), _METRIC, str(_COUNT), str(_GAP_SECONDS)],
        files={program: (INSIDE / "show_failures.py").read_text(encoding="utf-8")},
    ) as page:
        events = takewhile(lambda line: line != "end", lines(page.logs(stream=True, follow=True)))
        return follow(
            events,
            lambda runs: runs & receiver.seen(_PATH).keys(),
            count=_COUNT,
            patience=_PATIENCE_SECONDS,
        )


def _slow_filebeat(stack: str) -> str:
    config = yaml.safe_load(filebeat.render(stack=stack, logs_path=_LOGS))
    (files,) = config["filebeat.inputs"]
    files["paths"] = [path.replace("dag_id=*", logs.FOLDER.rsplit("/", 1)[1]) for path in files["paths"]]
    del files["prospector.scanner"]["check_interval"], files["backoff"]
    del files["close.on_state_change.inactive"], config["queue.mem"]
    output = config["output.elasticsearch"]
    for name in ("worker", "bulk_max_size", "compression_level", "backoff.max"):
        del output[name]
    output |= {"username": SUPERUSER, "index": _INDEX}
    return yaml.safe_dump(config)


def _as_superuser(stack: Stack, password: str) -> Stack:
    login = {"username": SUPERUSER, "password": password}
    return replace(stack, credentials={**stack.credentials, "elasticsearch": login})


@contextmanager
def _index(reader: Stack) -> Iterator[None]:
    """An index with the mapping of the task logs, and the default settings of all indices."""
    url = f"{reader.endpoints['elasticsearch']}/{_INDEX}"
    mappings = task_logs.stream(stack=reader.name, retention_seconds=86400).mappings()
    login = reader.login("elasticsearch")
    missing = {"ignore_unavailable": "true"}
    reader.session.delete(url, params=missing, auth=login, timeout=ANSWER_SECONDS).raise_for_status()
    settings = {"number_of_replicas": 0, "default_pipeline": task_logs.PIPELINE}
    body = {"settings": settings, "mappings": mappings}
    reader.session.put(url, json=body, auth=login, timeout=ANSWER_SECONDS).raise_for_status()
    try:
        yield
    finally:
        reader.session.delete(url, params=missing, auth=login, timeout=ANSWER_SECONDS).raise_for_status()


@contextmanager
def _prometheus(stack: Stack) -> Iterator[str]:
    """The address of a Prometheus with the stack's rule about failed runs, and its default intervals."""
    source = stack.container("prometheus")
    config = "/etc/prometheus/prometheus.yml"
    targets = {
        "statsd-exporter": "statsd-exporter:9102",
        "airflow-exporter": f"measure-failures:{_PAGE_PORT}",
    }
    content = {
        "global": {"external_labels": {"stack": stack.name}},
        "rule_files": ["/etc/prometheus/rule.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": ["measure-alertmanager:9093"]}]}]},
        "scrape_configs": [
            {"job_name": job, "static_configs": [{"targets": [target], "labels": {"stack": stack.name}}]}
            for job, target in targets.items()
        ],
    }
    with temporary(
        stack,
        physical_name(stack.name, "measure-prometheus"),
        image=source.image.id,
        alias="measure-prometheus",
        user="65534:0",
        command=[f"--config.file={config}", "--storage.tsdb.path=/prometheus"],
        files={
            config: yaml.safe_dump(content),
            "/etc/prometheus/rule.yml": yaml.safe_dump(_rule(read_files(source, "/etc/prometheus/rules"))),
        },
        port=9090,
    ) as container:
        yield ready(container, 9090, "/-/ready")


def _rule(files: Mapping[str, str]) -> dict[str, Any]:
    for text in files.values():
        for group in yaml.safe_load(text)["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") == _RULE:
                    return {"groups": [{"name": "measured", "rules": [rule]}]}
    message = f"the stack's Prometheus has no rule {_RULE}"
    raise MeasureError(message)


@contextmanager
def _alertmanager(stack: Stack) -> Iterator[None]:
    """An Alertmanager that groups as the stack's does, at its default intervals."""
    source = stack.container("alertmanager")
    config = "/etc/alertmanager/alertmanager.yml"
    routes = yaml.safe_load(read_files(source, config)[config])["route"]["routes"]
    grouped = next(route["group_by"] for route in routes if route["receiver"] == "critical")
    webhook = {"url": f"http://{HOST}:{PORT}{_PATH}", "send_resolved": False}
    content = {
        "route": {"receiver": "measured", "group_by": grouped},
        "receivers": [{"name": "measured", "webhook_configs": [webhook]}],
    }
    with temporary(
        stack,
        physical_name(stack.name, "measure-alertmanager"),
        image=source.image.id,
        alias="measure-alertmanager",
        user="65534:0",
        command=[f"--config.file={config}", "--storage.path=/alertmanager", "--cluster.listen-address="],
        files={config: json.dumps(content)},
    ):
        yield
