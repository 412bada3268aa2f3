"""What the exporter of Airflow's database is told: where the database is, and which processes should run.

The programs themselves are in ``configs/exporters``.
"""

from collections.abc import Mapping
from pathlib import Path

from configs import postgres

PORT = 9101
INTERVAL_SECONDS = 2
"""Seconds between scrapes. A failure is known to Prometheus this much later at worst."""

_HOME = "/opt/exporters"
_PROGRAMS = ("airflow_database.py", "airflow_readings.py")

# Each probe asks the database as a scrape does.
PROBE = ["curl", "-sf", "--max-time", "5", "-o", "/dev/null", f"http://localhost:{PORT}/metrics"]


def command(*, password_file: str, services: Mapping[str, str]) -> list[str]:
    """Return the program with its arguments.

    Args:
        password_file: path of the password of the role :data:`configs.postgres.MONITOR`.
        services: which of Airflow's are meant to run -> the name of each in Airflow's table of jobs.
    """
    arguments = {
        "host": postgres.HOST,
        "database": postgres.DATABASE,
        "user": postgres.MONITOR,
        "password-file": password_file,
    }
    return [
        "python",
        f"{_HOME}/{_PROGRAMS[0]}",
        *(f"--{name}={value}" for name, value in arguments.items()),
        *(f"--service={service}={job_type}" for service, job_type in services.items()),
    ]


def files() -> dict[str, str]:
    """Return the program's files: path -> text."""
    programs = Path(__file__).parent / "exporters"
    return {f"{_HOME}/{name}": (programs / name).read_text(encoding="utf-8") for name in _PROGRAMS}
