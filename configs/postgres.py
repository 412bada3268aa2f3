"""The metadata database's server settings, for a small container with few clients.

Pure: no Pulumi, no Docker.
"""

HOST = "postgres"
USER = "airflow"
DATABASE = "airflow"
MONITOR = "monitor"
"""Role of who watches: it reads the server's figures and some of Airflow's columns, and writes nothing."""

# Airflow keeps at most 15 sessions per process (its pool and overflow): four processes, some more workers of
# the API server, the probes and the exporters fit.
_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "64MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "effective_cache_size": "192MB",
    "max_wal_size": "512MB",
    # A reader that follows an index on solid-state storage pays next to nothing for a jump.
    "random_page_cost": "1.1",
    # A probe or a client that vanished without a word must not hold its session for two hours.
    "tcp_keepalives_idle": "60",
    "log_min_duration_statement": "1s",
    "log_connections": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}


def flags() -> list[str]:
    """Return the arguments of ``postgres`` that set what differs from the server's defaults."""
    return [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
