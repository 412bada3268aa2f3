"""Grafana's settings, provisioning and dashboards, judged by the server, and their PromQL by Prometheus.

Decides whether this image set's Grafana starts with them, has the data sources and dashboards that they
name, and takes its passwords from files. Cannot decide what the pages look like (the package set's server
has none), whether a panel's query finds data, nor anything about the other image set's version.
"""

import base64
import dataclasses
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from configs import grafana
from configs.dashboards import airflow, infrastructure, logs, overview, pipelines, watchers
from configs.dashboards.sources import ALERTS_UID, CONTAINER_LOGS_UID, LOGS_UID, METRICS_UID, TRACES_UID
from configs.links import Links

USER = "472:0"
PASSWORDS = {
    "/run/secrets/grafana_admin_password": "only-for-this-test",
    "/run/secrets/log_reader_password": "also-only-for-this-test",
    "/run/secrets/grafana_secret_key": "a-key-for-this-test",
}
LINKS = Links.of(
    "dev",
    {
        service: f"http://127.0.0.1/{service}"
        for service in ("airflow", "prometheus", "grafana", "elasticsearch", "kibana", "jaeger")
    },
    runbooks="docs/runbooks",
)
MODULES = (airflow, pipelines, overview, logs, infrastructure, watchers)
BOARDS = {board.UID: json.loads(board.render(LINKS)) for board in MODULES}
VARIABLES = {
    **{"$pipeline": ".*", "$__interval": "1m", "$dag_id": ".*", "$task_id": ".*"},
    **{"$stack": "dev", "$service": ".*"},
}


def files(with_logs=True):
    links = LINKS if with_logs else dataclasses.replace(LINKS, elasticsearch="", kibana="", jaeger="")
    return grafana.files(
        stack="dev",
        scrape_interval=5,
        log_reader_password_file="/run/secrets/log_reader_password",
        dashboards={
            f"{board.UID}.json": board.render(links) for board in MODULES if with_logs or board is not logs
        },
        logs=with_logs,
        traces=with_logs,
    )


def environment():
    return grafana.environment(
        admin_username="keeper",
        admin_password_file="/run/secrets/grafana_admin_password",
        public_url="http://127.0.0.1:3000",
        secret_key_file="/run/secrets/grafana_secret_key",
    )


def panels(board):
    return [panel for panel in board["panels"] if panel["type"] != "row"]


@pytest.fixture(scope="module")
def server(serve_in_image):
    running = serve_in_image(
        "grafana", [], {**files(), **PASSWORDS}, user=USER, environment=environment(), ports=[grafana.PORT]
    )
    running.wait(running.url(grafana.PORT, "/api/health"))
    return running


def get(server, path, user="keeper", password=PASSWORDS["/run/secrets/grafana_admin_password"]):
    login = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(
        server.url(grafana.PORT, path), headers={"Authorization": f"Basic {login}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_the_server_takes_the_provisioning(server):
    sources = {source["uid"]: source for source in get(server, "/api/datasources")}
    assert set(sources) == {METRICS_UID, LOGS_UID, CONTAINER_LOGS_UID, TRACES_UID, ALERTS_UID}
    assert sources[METRICS_UID]["isDefault"]
    logs = get(server, f"/api/datasources/uid/{LOGS_UID}")
    assert logs["basicAuthUser"] == "log_reader"
    assert logs["secureJsonFields"] == {"basicAuthPassword": True}
    assert logs["jsonData"]["index"] == "logs-airflow.task-dev"
    for uid, rendered in BOARDS.items():
        board = get(server, f"/api/dashboards/uid/{uid}")
        assert board["meta"]["provisioned"]
        assert len(panels(board["dashboard"])) == len(panels(rendered))
    errors = [line for line in server.log().splitlines() if "level=error" in line and "provisioning" in line]
    assert not errors


def test_the_default_password_opens_nothing(server):
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(server, "/api/datasources", "admin", "admin")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(server, "/api/datasources", "keeper", "admin")


def test_no_password_is_in_the_environment_or_the_log(server):
    given = "".join(environment().values()) + "".join(files().values()) + server.log()
    assert not [secret for secret in PASSWORDS.values() if secret in given]


def test_the_probe_tells_a_ready_server(server, docker):
    assert docker("exec", server.name, *grafana.PROBE).returncode == 0


def test_prometheus_understands_every_query(serve_in_image):
    prometheus = serve_in_image("prometheus", [], {}, user="65534:0", ports=[9090])
    prometheus.wait(prometheus.url(9090, "/-/ready"))
    targets = [target for board in BOARDS.values() for panel in panels(board) for target in panel["targets"]]
    queries = [target["expr"] for target in targets if "expr" in target]
    assert len(queries) > 70
    for query in queries:
        for name, value in VARIABLES.items():
            query = query.replace(name, value)
        assert "$" not in query.replace('"$1"', "")
        path = f"/api/v1/format_query?{urllib.parse.urlencode({'query': query})}"
        with urllib.request.urlopen(prometheus.url(9090, path), timeout=10) as answer:
            assert json.load(answer)["status"] == "success"


def test_every_panel_reads_a_provisioned_source_and_explains_itself():
    for panel in (panel for board in BOARDS.values() for panel in panels(board)):
        assert panel["datasource"]["uid"] in {METRICS_UID, LOGS_UID, CONTAINER_LOGS_UID}
        assert panel["title"]
        assert panel["description"].endswith(".")
        if panel["type"] in ("timeseries", "stat"):
            assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_without_a_log_store_nothing_speaks_of_it():
    told = "".join(files(with_logs=False).values())
    assert LOGS_UID not in told
    assert "/d/logs" not in told
    assert TRACES_UID not in told


def test_a_dashboard_is_the_same_each_time():
    again = {board.UID: json.loads(board.render(LINKS)) for board in MODULES}
    assert again == BOARDS
