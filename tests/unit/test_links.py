"""Addresses in alerts.

Decides which address an alert's labels make, with the templates filled in by Go's rules for the few that are
used here. Cannot decide whether the page at the other end shows what it should.
"""

import dataclasses
import json
import re
from urllib.parse import parse_qs, quote_plus, unquote, urlsplit

import pytest

from configs.data_views import CONTAINER_LOGS, TASK_LOGS
from configs.links import Links

LINKS = Links.of(
    "dev",
    {
        "airflow": "http://127.0.0.1:8080",
        "prometheus": "http://127.0.0.1:9090",
        "grafana": "http://127.0.0.1:3000",
        "elasticsearch": "http://127.0.0.1:9200",
        "kibana": "http://127.0.0.1:5601",
        "jaeger": "http://127.0.0.1:16686",
        "alertmanager": "http://127.0.0.1:9093",
        "statsd-exporter": "http://127.0.0.1:9102",
    },
    runbooks="https://example.org/runbooks/",
)
RUN = {"dag_id": "shop", "run_id": "manual__2026-01-01T00:00:00+00:00"}
TASK = RUN | {"task_id": "load", "map_index": "-1"}


def filled(template, labels):
    """The template as Prometheus fills it in; a label that is not there is nothing."""
    branch = r"\{\{ if (?P<condition>[^}]*) \}\}(?P<then>.*?)\{\{ else \}\}(?P<otherwise>.*?)\{\{ end \}\}"
    while found := re.search(branch, template):
        chosen = found["then"] if holds(found["condition"], labels) else found["otherwise"]
        template = template[: found.start()] + chosen + template[found.end() :]
    template = re.sub(
        r"\{\{ \$labels\.(\w+) \| urlquery \}\}", lambda m: quote_plus(labels.get(m[1], "")), template
    )
    template = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda m: labels.get(m[1], ""), template)
    assert "{{" not in template
    return template


def holds(condition, labels):
    if found := re.fullmatch(r'eq \$labels\.(\w+) "([^"]*)"', condition):
        return labels.get(found[1], "") == found[2]
    return bool(labels.get(re.fullmatch(r"\$labels\.(\w+)", condition)[1]))


def test_services_that_are_off_have_no_address():
    links = Links.of("dev", {"airflow": "http://a", "prometheus": "http://p"}, runbooks="docs/runbooks")
    assert (links.grafana, links.kibana, links.jaeger, links.alertmanager) == ("", "", "", "")
    assert links.runbooks == "docs/runbooks"


def test_the_runbooks_address_ends_without_a_slash():
    assert LINKS.runbooks == "https://example.org/runbooks"


def test_a_dag():
    assert filled(LINKS.dag()["dag"], RUN) == "http://127.0.0.1:8080/dags/shop"


def test_a_run_with_characters_that_an_address_may_not_have():
    run = urlsplit(filled(LINKS.run()["run"], RUN))
    assert unquote(run.path) == f"/dags/shop/runs/{RUN['run_id']}"
    assert "+" not in run.path
    assert not run.query


@pytest.mark.parametrize(
    ("labels", "page"),
    [
        (TASK, "/tasks/load"),
        (TASK | {"map_index": "0"}, "/tasks/load/mapped/0"),
        (TASK | {"map_index": "7"}, "/tasks/load/mapped/7"),
    ],
)
def test_a_task_mapped_or_not(labels, page):
    assert filled(LINKS.task()["task"], labels).endswith(page)


def test_a_runs_and_a_tasks_log_lines():
    of_run, of_task = filled(LINKS.run()["logs"], TASK), filled(LINKS.task()["logs"], TASK)
    assert f"dataViewId:{TASK_LOGS}" in of_run
    condition = f'airflow.dag_id:"shop" and airflow.run_id:"{RUN["run_id"]}"'
    assert f"query:'{condition}'" in unquote(of_run)
    assert f"query:'{condition} and airflow.task_id:\"load\"'" in unquote(of_task)


def test_a_services_log_lines():
    named = unquote(filled(LINKS.service_logs("grafana")["logs"], {}))
    labelled = unquote(filled(LINKS.service_logs()["logs"], {"service": "grafana"}))
    assert named == labelled
    assert f"dataViewId:{CONTAINER_LOGS}" in named
    assert "query:'service.name:\"grafana\"'" in named


def test_a_trace_by_its_id_or_by_the_run():
    trace = LINKS.run()["trace"]
    assert filled(trace, RUN | {"trace_id": "abc"}) == "http://127.0.0.1:16686/trace/abc"
    query = parse_qs(urlsplit(filled(trace, RUN)).query)
    (tags,) = query["tags"]
    assert json.loads(tags) == {"airflow.dag_run.run_id": f'"{RUN["run_id"]}"'}


def test_a_dashboard_with_and_without_variables():
    assert LINKS.dashboard("watchers")["dashboard"] == "http://127.0.0.1:3000/d/watchers"
    chosen = filled(LINKS.dashboard("airflow", dag="dag_id")["dashboard"], RUN)
    assert chosen == "http://127.0.0.1:3000/d/airflow?var-dag=shop"


def test_a_page_of_a_service_that_is_off_is_left_out():
    links = dataclasses.replace(LINKS, kibana="", jaeger="", grafana="")
    assert set(links.task()) == {"run", "task"}
    assert links.service_logs() == {}
    assert links.dashboard("watchers") == {}
