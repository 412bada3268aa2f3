"""What the Postgres exporter is told: whom to ask, as whom, and for what.

Pure: no Pulumi, no Docker.
"""

from configs import postgres

PORT = 9187
INTERVAL_SECONDS = 15
"""Seconds between scrapes; each asks the statistics of every table."""

_SETTINGS = (
    # How long a backend that never answers may keep a scrape waiting, which Prometheus gives up after 10 s.
    "--collection-timeout=8s",
    "--collector.postmaster",
)
# There is one server, and the tables' own reads and writes say nothing that somebody would act on.
_OFF = (
    "replication",
    "replication_slot",
    "roles",
    "stat_bgwriter",
    "stat_progress_vacuum",
    "statio_user_tables",
)
DROPPED = (
    # All of the server's 300 settings, but for how many connections it takes.
    r"pg_settings_([^m]|m[^a]|ma[^x]|max_[^c]).*",
    # Of each of Airflow's 70 tables all but how large it is, and how much of it is dead.
    r"pg_stat_user_tables_(seq|idx|n_tup|n_mod|last|vacuum|analyze|autovacuum|autoanalyze)_.+",
    r"pg_stat_database_conflicts.*",
    r"go_.+",
)
"""Metric names that nobody looks at."""


def flags() -> list[str]:
    """Return the exporter's arguments."""
    return [*_SETTINGS, *(f"--no-collector.{name}" for name in _OFF)]


def environment(*, password_file: str) -> dict[str, str]:
    """Return the exporter's environment; ``password_file`` is the path of the monitoring role's password."""
    return {
        # Both are on the stack's own network, where nothing is encrypted.
        "DATA_SOURCE_URI": f"{postgres.HOST}:5432/{postgres.DATABASE}?sslmode=disable",
        "DATA_SOURCE_USER": postgres.MONITOR,
        "DATA_SOURCE_PASS_FILE": password_file,
    }
