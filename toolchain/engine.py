"""The Docker Engine: the one that answers, else Debian's own, installed and started."""

import fcntl
import os
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from toolchain import apt
from toolchain.console import BootstrapError, run_logged, say
from toolchain.paths import cache_home, log_home

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_PACKAGE = "docker.io"
_CLI_PACKAGE = "docker-cli"
_ANSWER_SECONDS = 15
_START_SECONDS = 60
_POLL_SECONDS = 0.25
_HELP = (
    "Install Docker Engine (https://docs.docker.com/engine/install/) and start it, "
    "or set DOCKER_HOST to one that runs."
)


def ensure_engine() -> Mapping[str, str]:
    """Make sure that the ``docker`` command is there and an engine answers it.

    Returns:
        What must be set so that programs which know no Docker contexts reach the same engine.

    Raises:
        BootstrapError: no engine answers and none can be started here; says how to get one.
    """
    failure = _complaint()
    if failure is not None:
        _start(failure)
    return selected_host()


def _complaint() -> str | None:
    """Why no engine answers, or None if one does."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    try:
        answer = subprocess.run(
            ["docker", "version", "--format", "{{.Server.Version}}"],
            capture_output=True,
            text=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the Docker Engine did not answer within {_ANSWER_SECONDS} s"
    return None if answer.returncode == 0 else answer.stderr.strip() or "the Docker Engine does not answer"


def selected_host() -> Mapping[str, str]:
    """Return ``DOCKER_HOST`` where the engine is another than the default, for who knows no contexts."""
    if os.environ.get("DOCKER_HOST") or shutil.which("docker") is None:
        return {}
    answer = subprocess.run(
        ["docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"],
        capture_output=True,
        text=True,
        check=False,
    )
    host = answer.stdout.strip()
    return {} if host in {"", _DEFAULT_HOST} else {"DOCKER_HOST": host}


def _start(failure: str) -> None:
    if os.environ.get("DOCKER_HOST") or not apt.can_install():
        message = f"{failure}\n{_HELP}"
        raise BootstrapError(message)
    cache_home().mkdir(parents=True, exist_ok=True)
    with (cache_home() / "engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _complaint() is None:
            return
        if shutil.which("docker") is None or _daemon() is None:
            say(f"installing the package {_PACKAGE} (Docker Engine), since {failure}")
            apt.install([_PACKAGE])
            if shutil.which("docker") is None:
                # Newer releases keep the command in a package of its own, which is only recommended.
                apt.install([_CLI_PACKAGE])
        if _complaint() is not None:
            _start_daemon()


def _daemon() -> str | None:
    return shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


def _start_daemon() -> None:
    """Start ``dockerd`` and wait until it answers; it outlives the bootstrap, in a session of its own."""
    daemon = _daemon()
    if daemon is None:
        message = f"the package {_PACKAGE} holds no dockerd\n{_HELP}"
        raise BootstrapError(message)
    if Path("/run/systemd/system").is_dir():
        run_logged("start Docker Engine", ["systemctl", "start", "docker"])
        process, log = None, Path("/var/log/syslog")
    else:
        log = log_home() / "dockerd.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        say(f"starting dockerd (log: {log})")
        with log.open("a") as sink:
            process = subprocess.Popen(
                [daemon],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
            )
    deadline = time.monotonic() + _START_SECONDS
    while (failure := _complaint()) is not None:
        died = process is not None and process.poll() is not None
        if died or time.monotonic() > deadline:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:]) if log.exists() else ""
            message = (
                f"dockerd {'ended' if died else 'does not answer'}: {failure}; the end of {log}:\n{tail}"
            )
            raise BootstrapError(message)
        time.sleep(_POLL_SECONDS)
