"""The whole resource graph under mocks, for the committed stacks.

Decides: what every container is given (image, health check, limits, capabilities, ports, files) and that no
secret stands where ``docker inspect`` shows it. Cannot decide: whether the engine or the services accept it.
"""

import re
from collections.abc import Callable

import pytest
from recorder import SECRET_MARK, Recorder, Registered

RunProgram = Callable[..., Recorder]

SERVICES = {
    "airflow-api-server",
    "airflow-exporter",
    "alertmanager",
    "blackbox-exporter",
    "container-exporter",
    "elasticsearch-exporter",
    "filebeat-containers",
    "jaeger",
    "jaeger-retention",
    "log-exporter",
    "node-exporter",
    "postgres-exporter",
    "airflow-dag-processor",
    "airflow-scheduler",
    "airflow-triggerer",
    "elasticsearch",
    "filebeat",
    "grafana",
    "kibana",
    "postgres",
    "prometheus",
    "statsd-exporter",
}
# Exceptions; root is there without any capability, to read files that are root's on the host.
USERS = {
    "container-exporter": "0:0",
    "filebeat-containers": "0:0",
    # It sees the whole host, so it must not be in the group that reads secret files.
    "node-exporter": "65534:65534",
}
HOST_MOUNTS = {
    "container-exporter": {"/var/lib/docker/containers", "/sys/fs/cgroup"},
    "filebeat-containers": {"/var/lib/docker/containers"},
    "node-exporter": {"/"},
}
STEPS = {"airflow-migrate", "elasticsearch-setup", "kibana-setup"}
UNSCRAPED = {"airflow-api-server", "airflow-dag-processor", "airflow-scheduler", "airflow-triggerer"} | {
    *("elasticsearch", "filebeat", "filebeat-containers", "jaeger-retention", "kibana", "postgres"),
}
AIRFLOW = {name for name in SERVICES | STEPS if name.startswith("airflow-")} - {"airflow-exporter"}
_VISIBLE = ("envs", "labels", "command", "entrypoints", "healthcheck", "logOpts", "hostname", "name")


@pytest.fixture(scope="module", params=["dev", "prod"])
def recorded(request: pytest.FixtureRequest, run_program: RunProgram) -> tuple[str, Recorder]:
    """The stack's name and everything that it registered."""
    return request.param, run_program(request.param)


def _is_step(container: Registered) -> bool:
    return container.name in STEPS


def test_every_service_is_there(recorded: tuple[str, Recorder]) -> None:
    """The stable service names, and no container beside them."""
    _, recorder = recorded
    assert set(recorder.of("Container")) == SERVICES | STEPS


def test_names_and_labels(recorded: tuple[str, Recorder]) -> None:
    """Containers, volumes and the network carry the stack in their name and the three stable labels."""
    stack, recorder = recorded
    for kind in ("Container", "Volume", "Network"):
        for name, resource in recorder.of(kind).items():
            labels = {each["label"]: each["value"] for each in resource.inputs["labels"]}
            assert resource.inputs["name"] == f"{stack}-{name}"
            assert labels["mlops.project"] == "mlops-observability"
            assert labels["mlops.stack"] == stack
            assert labels["mlops.service"], name
    for name, container in recorder.of("Container").items():
        labels = {each["label"]: each["value"] for each in container.inputs["labels"]}
        assert labels["mlops.service"] == name
        assert container.inputs["logOpts"]["tag"] == f"{stack}-{name}"
        assert [each["aliases"] for each in container.inputs["networksAdvanced"]] == [[name]]


def test_every_container_is_hardened_and_limited(recorded: tuple[str, Recorder]) -> None:
    """Own user in group 0, no capability, no new privileges, memory without swap, graceful stop."""
    _, recorder = recorded
    for name, container in recorder.of("Container").items():
        given = container.inputs
        assert re.fullmatch(USERS.get(name, r"[1-9]\d*:0"), given["user"]), name
        assert given["capabilities"] == {"drops": ["ALL"], "adds": []}, name
        assert given["securityOpts"] == ["no-new-privileges:true"], name
        assert given["memory"] > 0, name
        assert given["memorySwap"] == given["memory"], name
        assert given["destroyGraceSeconds"] >= 1, name
        assert not given.get("privileged"), name
        assert given["image"].startswith("sha256:"), name


def test_images_are_pinned(recorded: tuple[str, Recorder]) -> None:
    """Every image has a tag that is not ``latest`` and stays on the engine after a destroy."""
    _, recorder = recorded
    for name, image in recorder.of("RemoteImage").items():
        _, _, tag = image.inputs["name"].rpartition(":")
        assert tag, name
        assert tag != "latest", name
        assert image.inputs["keepLocally"] is True, name


def test_services_have_health_checks_and_steps_have_gates(recorded: tuple[str, Recorder]) -> None:
    """A long-running container is probed; a step has a gate of its own, which waits for exit code 0."""
    _, recorder = recorded
    awaited = {each["service"] for gate in recorder.of("Gate").values() for each in gate.inputs["awaited"]}
    assert awaited == SERVICES | STEPS, "no container may be left out of all gates"
    for name, container in recorder.of("Container").items():
        if _is_step(container):
            assert f"{name}-ready" in recorder.of("Gate")
            assert container.inputs["restart"] == "no"
            continue
        check = container.inputs["healthcheck"]
        assert check["tests"][0] == "CMD"
        for timing in ("interval", "timeout", "startPeriod"):
            assert re.fullmatch(r"([1-9]\d*m)?\d+s", check[timing]), f"{name}: {timing} would drift"
        assert container.inputs["restart"] == "unless-stopped"


def test_process_limits_are_set_by_gates(recorded: tuple[str, Recorder]) -> None:
    """Every awaited container gets a process limit."""
    _, recorder = recorded
    for gate in recorder.of("Gate").values():
        for each in gate.inputs["awaited"]:
            assert 16 <= each["pids"] <= 4096, each["service"]


def test_ports_are_bound_to_the_loopback_address(recorded: tuple[str, Recorder]) -> None:
    """No port is open to the network, none is privileged, none is taken twice."""
    _, recorder = recorded
    taken = [port for container in recorder.of("Container").values() for port in container.inputs["ports"]]
    assert {port["ip"] for port in taken} == {"127.0.0.1"}
    external = [port["external"] for port in taken]
    assert len(external) == len(set(external))
    assert min(external) >= 1024


def test_no_secret_is_visible(recorded: tuple[str, Recorder]) -> None:
    """Secrets stand in uploads below /run/secrets with mode 0440, and nowhere that inspect shows."""
    _, recorder = recorded
    uploaded = 0
    for name, container in recorder.of("Container").items():
        for part in _VISIBLE:
            assert SECRET_MARK not in str(container.inputs.get(part)), f"{name}: {part}"
        for upload in container.inputs["uploads"]:
            if SECRET_MARK in upload["content"]:
                uploaded += 1
                assert upload["file"].startswith("/run/secrets/"), f"{name}: {upload['file']}"
                assert upload["permissions"] == "0440"
            else:
                assert upload["permissions"] == "0444", f"{name}: {upload['file']}"
            assert upload["content"].strip(), f"{name}: {upload['file']} is empty"
    assert uploaded > 10


def test_only_edited_folders_are_bind_mounted(recorded: tuple[str, Recorder]) -> None:
    """Generated files are uploaded; folders of the host are mounted read-only where named here; no socket."""
    _, recorder = recorded
    for name, container in recorder.of("Container").items():
        for volume in container.inputs["volumes"]:
            assert "docker.sock" not in str(volume), name
            if volume.get("hostPath"):
                assert volume["readOnly"] is True, name
                allowed = HOST_MOUNTS.get(name, set())
                assert volume["hostPath"] in allowed or name in AIRFLOW, f"{name}: {volume['hostPath']}"


def test_a_service_that_is_off_is_not_there(run_program: RunProgram) -> None:
    """``enabled: false`` removes the service's containers, volumes and gates, and nothing else."""
    without = run_program("dev", {"kibana.enabled": "false", "grafana.enabled": "false"})
    assert set(without.of("Container")) == (SERVICES | STEPS) - {"kibana", "kibana-setup", "grafana"}
    bare = run_program(
        "dev",
        {
            f"{section}.enabled": "false"
            for section in ("elasticsearch", "kibana", "filebeat", "filebeat_containers", "jaeger")
        },
    )
    gone = {"elasticsearch", "elasticsearch-setup", "elasticsearch-exporter", "filebeat", "log-exporter"}
    gone |= {"filebeat-containers", "jaeger", "jaeger-retention", "kibana", "kibana-setup"}
    assert set(bare.of("Container")) == (SERVICES | STEPS) - gone


def test_a_mirror_is_put_before_official_names(run_program: RunProgram) -> None:
    """A mirror goes before every official image name."""
    mirrored = run_program("dev", {"image_registry": "mirror.example:5000"})
    names = [
        each.inputs["name"] for each in mirrored.of("RemoteImage").values() if "build" not in each.inputs
    ]
    assert names
    assert all(name.startswith("mirror.example:5000/") for name in names)


def test_the_watched_are_scraped(run_program: RunProgram) -> None:
    """Prometheus is given the jobs that services declare, and only of those that are on."""
    uploads = run_program("dev").of("Container")["prometheus"].inputs["uploads"]
    text = "".join(upload["content"] for upload in uploads)
    for job in sorted(SERVICES - UNSCRAPED):
        assert f"job_name: {job}" in text
    without = run_program("dev", {"grafana.enabled": "false"}).of("Container")["prometheus"]
    assert "job_name: grafana" not in "".join(upload["content"] for upload in without.inputs["uploads"])
