"""Decides what the checks make of an engine's answers, and that asking a bad engine ends soon and in words.

It cannot decide that a real engine answers in this form; the end-to-end tests do.
"""

import contextlib
import dataclasses
import http.server
import json
import socket
import threading
import time
from typing import ClassVar

import pulumi
import pytest

import preflight
from preflight import EngineAddress, EngineError, EngineFacts, PublishedPort, check, inspect_engine
from settings import from_pulumi, loader
from settings.model import ONE_SHOTS, Settings
from units import GIB, MIB

PROJECT = "mlops-observability"
SETTINGS = Settings(project=PROJECT, stack="dev")
LONG_RUNNING = sum(size for name, size in SETTINGS.memory().items() if name not in ONE_SHOTS)
FACTS = EngineFacts(name="box", api_version="1.41", memory_total=24 * GIB, is_local=False)


def problems(settings=SETTINGS, *, broken=frozenset(), **facts):
    found = check(settings, lambda: dataclasses.replace(FACTS, **facts), broken=broken)
    return {problem.key: problem.message for problem in found}


def held(port, address="127.0.0.1", **labels):
    return (PublishedPort(port=port, address=address, container="other-web", **labels),)


@contextlib.contextmanager
def listener(address="127.0.0.1"):
    with socket.create_server((address, 0)) as server:
        yield server.getsockname()[1]


def with_port(port, **section):
    return SETTINGS.model_copy(
        update={"grafana": SETTINGS.grafana.model_copy(update={"port": port}), **section}
    )


def test_nothing_to_say_of_a_free_and_large_engine():
    assert problems() == {}


def test_memory_of_all_services_must_fit():
    message = problems(memory_total=8 * GIB)["*.memory"]
    assert f"{LONG_RUNNING // MIB}MiB" in message
    assert "8192MiB" in message
    assert "7372MiB" in message
    assert "airflow-scheduler 1536MiB" in message


def test_services_that_are_off_need_no_memory():
    kibana = SETTINGS.kibana.model_copy(update={"enabled": False})
    without = SETTINGS.model_copy(update={"kibana": kibana})
    just_enough_without = (LONG_RUNNING - SETTINGS.kibana.memory) * 10 // 9 + MIB
    assert problems(without, memory_total=just_enough_without) == {}
    assert list(problems(memory_total=just_enough_without)) == ["*.memory"]


@pytest.mark.parametrize(
    ("version", "accepted"), [("1.40", False), ("1.9", False), ("1.41", True), ("1.52", True)]
)
def test_age_of_the_engine(version, accepted):
    found = problems(api_version=version, memory_total=GIB if not accepted else 24 * GIB)
    assert list(found) == ([] if accepted else ["docker:host"])


def test_unreachable_engine_is_one_problem():
    def unreachable():
        raise EngineError("tcp://x", "refused")

    assert [str(each) for each in check(SETTINGS, unreachable)] == [
        "docker:host: no Docker Engine answers at tcp://x: refused"
    ]


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::", ""])
def test_port_of_another_container(address):
    assert "other-web" in problems(published=held(3000, address))["grafana.port"]


def test_port_at_another_address_is_free():
    assert problems(published=held(3000, "192.0.2.7")) == {}


def test_own_ports_are_not_taken():
    with listener() as port:
        own = held(port, stack="dev", project=PROJECT)
        assert "grafana.port" not in problems(with_port(port), published=own, is_local=True)


def test_a_folder_that_is_not_there_is_found_on_a_local_engine_only():
    airflow = SETTINGS.airflow.model_copy(update={"dags_path": "pipelines/dgas"})
    misspelt = SETTINGS.model_copy(update={"airflow": airflow})
    assert "no folder 'pipelines/dgas'" in problems(misspelt, is_local=True)["airflow.dags_path"]
    assert "airflow.dags_path" not in problems(misspelt, is_local=False)


@pytest.mark.parametrize(
    "labels", [{"stack": "prod", "project": PROJECT}, {"stack": "dev", "project": "other"}]
)
def test_ports_of_other_stacks_are_taken(labels):
    assert list(problems(published=held(3000, **labels))) == ["grafana.port"]


def test_port_of_a_process_is_taken_on_a_local_engine_only():
    with listener() as port:
        assert "another process" in problems(with_port(port), is_local=True)["grafana.port"]
        assert problems(with_port(port), is_local=False) == {}


def test_address_of_another_machine():
    elsewhere = SETTINGS.model_copy(update={"bind_address": "192.0.2.7"})
    assert "not an address of this machine" in problems(elsewhere, is_local=True)["grafana.port"]


def test_a_port_below_1024_would_be_refused_in_words():
    assert preflight.can_bind("127.0.0.1", 1) in ("", "Permission denied")


def test_nothing_follows_from_broken_keys():
    facts = {"memory_total": GIB, "published": (*held(3000), *held(9090))}
    assert list(problems(**facts)) == ["*.memory", "prometheus.port", "grafana.port"]
    assert list(problems(**facts, broken=frozenset({"grafana.port", "postgres.memory"}))) == [
        "prometheus.port"
    ]
    assert problems(**facts, broken=frozenset({"port_base", "kibana.enabled"})) == {}
    assert list(problems(**facts, broken=frozenset({"bind_address"}))) == ["*.memory"]


def asked(host):
    started = time.monotonic()
    with pytest.raises(EngineError) as failure:
        inspect_engine(EngineAddress(host=host))
    assert time.monotonic() - started < 3
    message = str(failure.value)
    assert "\n" not in message
    assert host in message
    return message


def test_socket_that_is_not_there(tmp_path):
    assert "no such socket" in asked(f"unix://{tmp_path}/docker.sock")


def test_socket_that_nobody_serves(tmp_path):
    path = str(tmp_path / "docker.sock")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(path)
    assert "refused" in asked(f"unix://{path}")


def test_closed_port():
    with listener() as port:
        pass
    assert "refused" in asked(f"tcp://127.0.0.1:{port}")


def test_server_that_never_answers():
    with listener() as port:
        assert "no answer within" in asked(f"tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("host", ["nonsense://x", "tcp://", "tcp://no.such.host.invalid:2375"])
def test_addresses_that_lead_nowhere(host):
    asked(host)


class _Engine(http.server.BaseHTTPRequestHandler):
    answers: ClassVar = {
        "/version": {"ApiVersion": "1.41", "Version": "20.10.24"},
        "/info": {"Name": "box", "MemTotal": 24 * GIB},
        "/containers/json": [
            {
                "Names": ["/dev-grafana"],
                "Labels": {"mlops.stack": "dev", "mlops.project": PROJECT},
                "Ports": [{"IP": "127.0.0.1", "PublicPort": 3000, "PrivatePort": 3000}, {"PrivatePort": 9}],
            }
        ],
    }

    def do_GET(self):
        path = self.path.partition("?")[0]
        answer = next((body for end, body in self.answers.items() if path.endswith(end)), None)
        text = json.dumps(answer).encode()
        self.send_response(200 if answer is not None else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_args):
        """Keep the test's output free of request lines."""


def test_what_an_engine_answers_becomes_facts():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Engine) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        facts = inspect_engine(EngineAddress(host=f"tcp://127.0.0.1:{server.server_port}"))
        server.shutdown()
    port = PublishedPort(
        port=3000, address="127.0.0.1", container="dev-grafana", stack="dev", project=PROJECT
    )
    assert facts == dataclasses.replace(FACTS, published=(port,))


@pytest.fixture
def program(monkeypatch):
    """Runs ``from_pulumi`` as the program would, for a configuration and an engine."""

    def run(config, facts=FACTS, secret_keys=()):
        monkeypatch.setattr(preflight, "inspect_engine", lambda _address: facts)
        monkeypatch.setattr(loader.pulumi, "get_stack", lambda: "dev")
        monkeypatch.setattr(loader.pulumi, "get_project", lambda: PROJECT)
        pulumi.runtime.set_all_config(config, list(secret_keys))
        try:
            return from_pulumi()
        finally:
            pulumi.runtime.set_all_config({}, [])

    return run


def test_program_gets_its_settings(program):
    config = {f"{PROJECT}:airflow.port": "8081", "docker:host": "tcp://elsewhere:2375"}
    assert program(config).airflow.port == 8081


def test_program_gets_its_secrets(program):
    key = f"{PROJECT}:secrets.elastic_password"
    given = program({key: "s3cret-Passw0rd"}, secret_keys=[key])
    assert given.secrets.elastic_password.get_secret_value() == "s3cret-Passw0rd"


def test_program_is_refused_with_both_reports_in_one(program):
    facts = dataclasses.replace(FACTS, memory_total=GIB, published=held(9090))
    with pytest.raises(pulumi.RunError) as refused:
        program({f"{PROJECT}:airflow.port": "80"}, facts)
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[0].strip() for line in lines[1:]] == [
        "*.memory",
        "airflow.port",
        "prometheus.port",
    ]


def test_address_of_the_engine(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://environment:2375")
    pulumi.runtime.set_all_config({"docker:host": "ssh://user@server"})
    try:
        assert EngineAddress.from_config(pulumi.Config("docker")).host == "ssh://user@server"
        pulumi.runtime.set_all_config({})
        assert EngineAddress.from_config(pulumi.Config("docker")).host == "tcp://environment:2375"
        monkeypatch.delenv("DOCKER_HOST")
        assert EngineAddress.from_config(pulumi.Config("docker")).is_local
    finally:
        pulumi.runtime.set_all_config({})
