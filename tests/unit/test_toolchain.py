"""How the bootstrap chooses, on machines that lack or refuse something.

``docker``, ``pulumi`` and ``apt-get`` are small scripts on PATH and Pulumi's releases a local server. Decides
what is asked of them and what follows; cannot decide that the real ones take it: ``make up`` does.
"""

import ast
import hashlib
import io
import os
import runpy
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

import pytest

from configs.versions import image_for, versions
from images import builder, machine
from toolchain import commands, engine, image_choice, pulumi_cli, python_env, stack
from toolchain.__main__ import parse
from toolchain.console import BootstrapError

MAIN = Path(commands.__file__).with_name("__main__.py")
PROXIES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
CLI = f"""case "$1" in
  version) echo v{pulumi_cli.CLI_VERSION};;
  plugin) if [ "$6" = --file ]; then mkdir -p "$PULUMI_HOME/plugins/resource-$4-v$5"; else exit 1; fi;;
  stack) echo '[]';;
esac"""


@pytest.fixture(autouse=True)
def home(tmp_path):
    """A user without files, settings of Pulumi and Docker, and programs besides the system's."""
    with mock.patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith(("PULUMI_", "DOCKER_", "MLOPS_"))]:
            del os.environ[name]
        for name in PROXIES:
            os.environ.pop(name, None)
        os.environ |= {
            "HOME": str(tmp_path),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "CALLS": str(tmp_path / "calls"),
        }
        yield tmp_path


@pytest.fixture
def program(home):
    """Put a shell script on PATH; return what reads the arguments of its calls."""
    (home / "bin").mkdir()

    def place(name: str, script: str):
        path = home / "bin" / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"$CALLS"\n{script}\n')
        path.chmod(0o755)

    return place


def calls(home: Path) -> list[str]:
    path = home / "calls"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("words", [[], ["-x"], ["-k", "gates"], ["tests/unit", "-x"], ["--", "-q"]])
def test_all_that_follows_test_goes_to_pytest(words):
    assert parse(["test", *words]).pytest_arguments == words


def test_an_old_python_can_read_the_first_file_and_is_named(monkeypatch):
    ast.parse(MAIN.read_text(), feature_version=(3, 7))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    with pytest.raises(SystemExit, match=r"3\.11 or newer is needed"):
        runpy.run_path(str(MAIN))


def test_a_passphrase_is_made_once_for_its_owner_alone(home):
    chosen = stack.backend_environment()
    path = Path(chosen["PULUMI_CONFIG_PASSPHRASE_FILE"])
    written = path.read_text()
    assert path.is_relative_to(home / "state")
    assert path.stat().st_mode & 0o777 == 0o600
    assert stack.backend_environment() == chosen
    assert path.read_text() == written


def test_an_empty_passphrase_is_said(capsys):
    os.environ["PULUMI_CONFIG_PASSPHRASE"] = ""
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in stack.backend_environment()
    assert "set but empty" in capsys.readouterr().err


class Releases(BaseHTTPRequestHandler):
    """Serves one release; ``server.fault`` names what goes wrong."""

    def _answer(self, body: bytes, length: int | None = None) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length or len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def do_HEAD(self):
        if self.server.fault == "no answer":
            return
        if self.server.fault == "no HTTP":
            self.wfile.write(b"welcome\r\n\r\n")
            return
        self._answer(b"x")

    def do_GET(self):
        fault, archive = self.server.fault, self.server.archive
        if self.path.endswith("-checksums.txt"):
            checksum = "0" * 64 if fault == "checksum" else hashlib.sha256(archive).hexdigest()
            self._answer(f"{checksum}  {self.server.release}.tar.gz\n".encode())
        elif fault == "cut short":
            self._answer(archive[:10], length=len(archive))
        elif fault != "reset":
            self._answer(archive)

    def log_message(self, *_):
        """Keep the tests' output free of requests."""


@pytest.fixture
def releases(home, monkeypatch):
    """A server of releases, no CLI on PATH, and a build that is only named."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("pulumi/pulumi")
        script = f"#!/bin/sh\n{CLI}\n".encode()
        member.size, member.mode = len(script), 0o755
        archive.addfile(member, io.BytesIO(script))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Releases)
    system = f"{sys.platform}-{pulumi_cli._MACHINES[pulumi_cli.platform.machine().lower()]}"
    server.release = f"pulumi-v{pulumi_cli.CLI_VERSION}-{system}"
    server.archive, server.fault = content.getvalue(), ""
    monkeypatch.setattr(pulumi_cli, "_RELEASES", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(pulumi_cli, "_on_path", lambda: None)
    monkeypatch.setattr(pulumi_cli, "built_home", lambda: None)
    monkeypatch.setattr(pulumi_cli, "build_home", lambda: home / "built")
    monkeypatch.setattr(pulumi_cli, "provider_binary", lambda name: home / name)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("fault", ["no answer", "no HTTP", "checksum", "reset", "cut short"])
def test_a_download_that_fails_gives_way_to_the_build(releases, home, fault, capsys):
    releases.fault = fault
    assert pulumi_cli.ensure_pulumi().bin == home / "built" / "bin"
    assert pulumi_cli.find("pulumi-release", [releases.release]) is None
    assert capsys.readouterr().err


@pytest.mark.usefixtures("releases")
def test_a_download_with_the_published_checksum_is_used(home):
    found = pulumi_cli.ensure_pulumi()
    assert found.bin.is_relative_to(home / "cache")
    assert (found.bin / "pulumi").exists()


def test_plugins_built_here_stay_out_of_the_users_home(home, program, monkeypatch):
    program("pulumi", CLI)
    monkeypatch.setattr(pulumi_cli, "provider_binary", lambda name: home / name)
    found = pulumi_cli.ensure_pulumi()
    assert found.bin == home / "bin"
    assert Path(found.environment["PULUMI_HOME"]).is_relative_to(home / "cache")
    assert not (home / ".pulumi").exists()
    before = [call for call in calls(home) if "plugin" in call]
    assert pulumi_cli.ensure_pulumi() == found
    assert [call for call in calls(home) if "plugin" in call] == before


def test_the_users_plugins_are_used_where_they_are(home, program):
    program("pulumi", CLI)
    for name, version in pulumi_cli.PROVIDERS.items():
        (home / ".pulumi" / "plugins" / f"resource-{name}-v{version}").mkdir(parents=True)
    assert "PULUMI_HOME" not in pulumi_cli.ensure_pulumi().environment
    assert not any("plugin" in call for call in calls(home))


def test_down_reaches_the_engine_of_a_docker_context(program, monkeypatch):
    program("docker", "echo tcp://10.0.0.1:2375")
    program("pulumi", CLI)
    asked = []
    monkeypatch.setattr(commands, "ensure_environment", lambda: os.environ | engine.selected_host())
    monkeypatch.setattr(commands, "remains", lambda _stack: asked.append(os.environ["DOCKER_HOST"]) or [])
    assert commands.down("dev") == 0
    assert asked == ["tcp://10.0.0.1:2375"]


def test_no_docker_command_selects_no_engine(home):
    os.environ["PATH"] = str(home)
    assert engine.selected_host() == {}


@pytest.mark.parametrize(("reason", "image_set"), [("", "official"), ("no such host", "packages")])
def test_the_image_set_that_was_found_is_written(home, program, monkeypatch, reason, image_set):
    program("pulumi", "")
    (home / "Pulumi.yaml").write_text("name: mlops-observability\n")
    monkeypatch.setattr(image_choice, "REPOSITORY", home)
    monkeypatch.setattr(image_choice, "unreachable", lambda _registry: reason)
    image_choice.choose_image_set("new", os.environ)
    written = [" ".join(call.split()[1:5]) for call in calls(home)]
    assert written[0] == f"config set image_set {image_set}"
    assert ("config set kibana.enabled false" in written) == bool(reason)


def test_an_image_set_that_is_named_stays(home, program, monkeypatch):
    program("pulumi", "")
    (home / "Pulumi.yaml").write_text("name: mlops-observability\n")
    (home / "Pulumi.new.yaml").write_text("config:\n  mlops-observability:image_set: official\n")
    monkeypatch.setattr(image_choice, "REPOSITORY", home)
    assert image_choice.choose_image_set("new", os.environ).image_set == "official"
    assert not calls(home)


def test_tests_of_the_official_set_pull_what_the_engine_lacks(home, program, monkeypatch):
    program("docker", 'case "$*" in *inspect*prom/prometheus*) exit 0;; *inspect*) exit 1;; esac')
    monkeypatch.setattr(commands, "ensure_environment", lambda: os.environ | {"MLOPS_IMAGE_SET": "official"})
    monkeypatch.setattr(commands.subprocess, "call", lambda *_, **__: 0)
    assert commands.test(["-x"]) == 0
    lacking = [image_for(name, "official") for name in versions("official") if name != "prometheus"]
    assert [call for call in calls(home) if " pull " in call] == [f"docker pull {name}" for name in lacking]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("echo 'WARNING: old file' >&2", ""),
        ("echo 'WARNING: old file' >&2; echo 'Error: No such image: a' >&2; exit 1", ""),
        ("echo 'Cannot connect to the Docker daemon' >&2; exit 1", "Cannot connect"),
    ],
)
def test_only_an_engine_that_fails_is_complained_of(program, script, complaint):
    program("docker", script)
    asked = [builder.Image(name="prometheus")]
    if complaint:
        with pytest.raises(BootstrapError, match=complaint):
            builder._present(asked)
    else:
        assert builder._present(asked) == {}


def test_two_recipes_do_not_run_apt_at_once(home, program, monkeypatch):
    program("apt-get", 'mkdir "$CALLS.held" && sleep 0.05 && rmdir "$CALLS.held"')
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with ThreadPoolExecutor() as pool:
        list(pool.map(machine.need, ("no-such-tool", "nor-this-one"), ("one", "two")))
    assert sum("install" in call for call in calls(home)) == 2


def test_a_python_without_venv_gets_it(monkeypatch):
    attempts, installed = [], []

    def run(title, *_, **__):
        attempts.append(title)
        if title.startswith("create") and not installed:
            raise BootstrapError(title)

    monkeypatch.setattr(python_env, "run_logged", run)
    monkeypatch.setattr(python_env, "find_spec", lambda _name: None)
    monkeypatch.setattr(python_env.apt, "can_install", lambda: True)
    monkeypatch.setattr(python_env.apt, "install", installed.extend)
    python_env.ensure_python()
    assert installed == ["python3-venv"]
    assert attempts == ["create Python environment"] * 2 + ["install Python packages"]
