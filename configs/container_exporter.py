"""What the container exporter is told: whose containers to show, and which of them are meant to run.

The programs themselves are in ``configs/exporters``.
"""

from collections.abc import Iterable
from pathlib import Path

PORT = 9103
RECORDS = "/host/containers"
CONTROL_GROUPS = "/host/cgroup"
PROBE = ["curl", "-sf", "-o", "/dev/null", f"http://localhost:{PORT}/metrics"]

_HOME = "/opt/exporters"
_PROGRAMS = ("containers.py", "control_groups.py")


def command(*, project: str, stack: str, services: Iterable[str]) -> list[str]:
    """The program's command line; ``services`` are missed when there is no container of theirs."""
    return [
        *("python", f"{_HOME}/{_PROGRAMS[0]}", f"--project={project}", f"--stack={stack}"),
        *(f"--service={service}" for service in sorted(services)),
    ]


def files() -> dict[str, str]:
    """The program's files: path -> text."""
    programs = Path(__file__).parent / "exporters"
    return {f"{_HOME}/{name}": (programs / name).read_text(encoding="utf-8") for name in _PROGRAMS}
