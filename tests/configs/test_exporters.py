"""The node and blackbox exporters, run as the platform runs them, the latter asked by a real Prometheus.

Decides whether they take their flags and files, see this host and those pages, and have the metrics that the
alerts name. Cannot decide whether the figures of another host can be read, nor whether a stack's real pages
answer as their probes want.
"""

import json
import re
import urllib.parse
import urllib.request

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from configs import blackbox_exporter, node_exporter, prometheus
from configs.alerts import host, probes
from configs.links import Links
from configs.watch import Probe, Watch
from tests.configs.elastic.containers import address, network, wait_for

USER = "65534:0"
LINKS = Links(stack="here", airflow="", prometheus="")
PAGE = "http://page:8000"
WATCHES = (
    Watch(probes=(Probe(service="good", url=f"{PAGE}/good"),)),
    Watch(
        probes=(
            Probe(service="text", url=f"{PAGE}/good?right", body='"status": ?"ok"'),
            Probe(service="text", url=f"{PAGE}/good?wrong", body='"status": ?"bad"'),
        )
    ),
    Watch(probes=(Probe(service="missing", url=f"{PAGE}/missing"),)),
    Watch(probes=(Probe(service="gone", url="http://gone:8000/"),)),
)


def metrics_of(groups, prefix):
    """The metrics that the alerts name."""
    expressions = [rule.expression for group in groups for rule in group.rules]
    found = {name for text in expressions for name in re.findall(rf"\b{prefix}_\w+", text)}
    assert found
    return found


def answer(url):
    with urllib.request.urlopen(url, timeout=10) as page:
        return page.read().decode()


def ready(url):
    """A function that says whether ``url`` answers, for ``wait_for``."""

    def answers():
        try:
            return answer(url)
        except OSError:
            return None

    return answers


@pytest.fixture(scope="module")
def net(image_set):
    with network(image_set) as made:
        yield made


@pytest.fixture(scope="module")
def node(net, docker):
    """Samples of the node exporter by name."""
    root = docker("info", "--format", "{{.DockerRootDir}}").stdout.decode().strip()
    container = net.start(
        "node-exporter",
        user=USER,
        memory=64 * 2**20,
        command=node_exporter.flags(root="/host", docker_root=root),
        volumes=["/:/host:ro"],
        port=node_exporter.PORT,
    )
    page = wait_for("node exporter", ready(f"{address(container, node_exporter.PORT)}/metrics"))
    found = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def test_the_host_has_every_metric_of_the_alerts(node):
    assert metrics_of(host.groups(LINKS), "node") <= node.keys()


def test_disks_are_the_hosts_and_nothing_of_containers_is_among_them(node):
    sizes = node["node_filesystem_size_bytes"]
    assert any(sample.labels["mountpoint"] == "/" and sample.value > 2**30 for sample in sizes)
    assert not {"overlay", "tmpfs", "proc", "nsfs"} & {sample.labels["fstype"] for sample in sizes}
    assert not [sample for sample in node["node_filesystem_device_error"] if sample.value]


def test_memory_and_processors_are_the_hosts(node, docker):
    total, processors = (
        int(docker("info", "--format", f"{{{{.{name}}}}}").stdout) for name in ("MemTotal", "NCPU")
    )
    assert node["node_memory_MemTotal_bytes"][0].value == pytest.approx(total, rel=0.01)
    assert len({sample.labels["cpu"] for sample in node["node_cpu_seconds_total"]}) == processors


def test_every_collector_works_and_none_tells_of_the_containers_own_network(node):
    """Pressure is the one that a kernel may lack."""
    failed = {
        sample.labels["collector"] for sample in node["node_scrape_collector_success"] if sample.value != 1
    }
    assert failed <= {"pressure"}
    assert not [name for name in node if name.startswith(("node_network", "node_netstat", "node_sockstat"))]


@pytest.fixture(scope="module")
def ask(net):
    """Ask a Prometheus that has the blackbox exporter probe a page: query -> samples."""
    server = "/opt/page/good"
    net.start(
        "airflow",
        alias="page",
        entrypoint=["python3", "-m", "http.server", "--directory", "/opt/page", "8000"],
        files={server: '{"status": "ok"}'},
    )
    net.start(
        "blackbox-exporter",
        user=USER,
        memory=64 * 2**20,
        command=["--config.file=/etc/blackbox_exporter/config.yml"],
        files={"/etc/blackbox_exporter/config.yml": blackbox_exporter.render(WATCHES)},
    )
    config = "/etc/prometheus/prometheus.yml"
    store = net.start(
        "prometheus",
        user=USER,
        command=prometheus.flags(
            config_file=config,
            data="/prometheus",
            public_url="http://127.0.0.1:9090",
            retention_seconds=3600,
            retention_bytes=2**28,
        ),
        files={
            config: prometheus.render(
                blackbox_exporter.scrape_jobs(WATCHES),
                stack="here",
                scrape_interval=5,
                rule_files="/etc/prometheus/rules/*.yml",
                alertmanager="alertmanager:9093",
            )
        },
        port=9090,
    )
    url = address(store, 9090)
    wait_for("Prometheus", ready(f"{url}/-/ready"))

    def query(text):
        reply = json.loads(answer(f"{url}/api/v1/query?{urllib.parse.urlencode({'query': text})}"))
        return reply["data"]["result"]

    wait_for("all probes", lambda: len(query("probe_success")) == 5)
    return query


def test_pages_are_judged_by_status_and_text(ask):
    success = {sample["metric"]["instance"]: sample["value"][1] for sample in ask("probe_success")}
    assert success == {
        f"{PAGE}/good": "1",
        f"{PAGE}/good?right": "1",
        f"{PAGE}/good?wrong": "0",
        f"{PAGE}/missing": "0",
        "http://gone:8000/": "0",
    }


def test_samples_name_the_service_and_one_job(ask):
    metrics = [sample["metric"] for sample in ask("probe_success")]
    assert {metric["job"] for metric in metrics} == {"probe"}
    assert sorted(metric["service"] for metric in metrics) == ["gone", "good", "missing", "text", "text"]
    assert metrics_of(probes.groups(LINKS), "probe") <= {
        sample["metric"]["__name__"] for sample in ask('{__name__=~"probe_.*"}')
    }


def test_a_failed_probe_is_an_answer_and_no_failed_scrape(ask):
    assert {sample["value"][1] for sample in ask("up")} == {"1"}


def test_the_exporter_would_refuse_a_wrong_file(run_in_image):
    files = {"/config.yml": blackbox_exporter.render(WATCHES) + "surplus: 1\n"}
    command = ["--config.check", "--config.file=/config.yml"]
    assert run_in_image("blackbox-exporter", command, files, user=USER).returncode != 0


def test_a_page_that_is_declared_twice_is_refused():
    with pytest.raises(ValueError, match="two probes ask http://page:8000/good"):
        blackbox_exporter.scrape_jobs([*WATCHES, WATCHES[0]])


def test_jobs_and_modules_do_not_depend_on_the_order_of_services():
    turned = tuple(reversed(WATCHES))
    assert blackbox_exporter.scrape_jobs(turned) == blackbox_exporter.scrape_jobs(WATCHES)
    assert blackbox_exporter.render(turned) == blackbox_exporter.render(WATCHES)


def test_every_job_asks_by_a_module_that_is_there_and_has_time_to_fail():
    modules = yaml.safe_load(blackbox_exporter.render(WATCHES))["modules"]
    for job in blackbox_exporter.scrape_jobs(WATCHES):
        assert float(modules[job.params["module"]]["timeout"].removesuffix("s")) < job.interval
