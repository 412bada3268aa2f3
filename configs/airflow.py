"""What Airflow's containers are told: one environment for all of them, the migration, and the probes.

Pure: no Pulumi, no Docker. Secrets are not here; Airflow reads each from its file by a ``..._CMD`` variable.
"""

from collections.abc import Mapping
from pathlib import Path

from configs.secret_files import secret_path

HOME = "/opt/airflow"

_STEPS = "/opt/steps"
_MIGRATE = f"{_STEPS}/migrate.py"
_HEARTBEAT = f"{_STEPS}/heartbeat.py"
# What Airflow itself is told to import.
_MODULES = (f"{_STEPS}/mlops_statsd.py", f"{_STEPS}/mlops_task_logs.py")
_FILES = Path(__file__).with_suffix("")

MIGRATE = ("python", _MIGRATE)
"""Entry point of the migration; wants :func:`migration_environment` and :func:`migration_files`."""

API_PROBE = (
    "curl", "--fail", "--silent", "--show-error", "--max-time", "5", "--output", "/dev/null",
    "http://localhost:8080/api/v2/version",
)  # fmt: skip
"""Argument vector of the API server's probe; it asks nothing of the database, so a slow one kills nothing."""

HEALTHY_BODY = r'"metadatabase":\s*\{"status":\s*"healthy"'
"""What the API server's health page says while it reaches the database.

The page speaks of the other processes too. Each of them has an alert of its own, so that none looks like the
fault of this one.
"""

_SECRET_COMMANDS = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "sql_alchemy_conn",
    "AIRFLOW__CORE__FERNET_KEY_CMD": "fernet_key",
    "AIRFLOW__API__SECRET_KEY_CMD": "api_secret_key",
    "AIRFLOW__API_AUTH__JWT_SECRET_CMD": "jwt_secret",
}

# A task whose process is gone (its scheduler was killed) is failed or retried this many seconds later.
_LOST_TASK_SECONDS = 60
_ORPHAN_CHECK_SECONDS = 60
_TASK_BEAT_SECONDS = 1
# How old a gauge of the pools, tasks and runs can be; alerts on them can be no faster.
_GAUGE_SECONDS = 5
# Reading the folder is cheap; parsing files that did not change is not.
_PARSE_AGAIN_SECONDS = 30


def environment(
    *,
    stack: str,
    public_url: str,
    parallelism: int,
    api_workers: int,
    dag_refresh_seconds: int,
    dags_paused_at_creation: bool,
    log_level: str,
    further: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, str]:
    """Return the environment that every Airflow container has, without any secret.

    It is the same for all of them on purpose: tasks, which send their own metrics, run in the scheduler's
    container today and elsewhere tomorrow, and a value that differs between processes is hard to find.

    Args:
        stack: makes the tokens' issuer and audience the stack's own, so that no other stack accepts them.
        public_url: address of the web interface as users see it, for links in messages and logs.
        parallelism: tasks that run at once.
        api_workers: processes of the API server.
        dag_refresh_seconds: how often the DAG folder is looked through.
        dags_paused_at_creation: whether a new DAG waits until somebody switches it on.
        log_level: least severe level that processes and tasks log.
        further: settings of what is not in every stack: section -> key -> value.
    """
    sections: dict[str, Mapping[str, object]] = {
        "core": _core(parallelism, dags_paused_at_creation, dag_refresh_seconds),
        "api": {"base_url": public_url, "workers": api_workers, "expose_config": False},
        "api_auth": {"jwt_issuer": f"airflow-{stack}", "jwt_audience": f"airflow-{stack}:api"},
        "execution_api": {"jwt_audience": f"airflow-{stack}:task"},
        "scheduler": _scheduler(),
        "dag_processor": {
            "refresh_interval": dag_refresh_seconds,
            "bundle_refresh_check_interval": min(dag_refresh_seconds, 5),
            "min_file_process_interval": max(dag_refresh_seconds, _PARSE_AGAIN_SECONDS),
            "parsing_processes": 1,
        },
        # A failed task's supervisor often waits for its next beat before it says so.
        "workers": {"min_heartbeat_interval": _TASK_BEAT_SECONDS},
        "logging": _logging(log_level),
        "metrics": _metrics(),
    }
    for section, keys in (further or {}).items():
        sections[section] = {**sections.get(section, {}), **keys}
    settings = {
        f"AIRFLOW__{section}__{key}".upper(): str(value)
        for section, keys in sections.items()
        for key, value in keys.items()
    }
    commands = {variable: f"cat {secret_path(name)}" for variable, name in _SECRET_COMMANDS.items()}
    return settings | commands | _process_environment()


def migration_environment(
    *, admin: str, admin_password_file: str, monitor: str, monitor_password_file: str
) -> dict[str, str]:
    """Return what the migration is told about the logins that it makes: names, and the passwords' files.

    Args:
        admin: Airflow's administrator.
        admin_password_file: path of the administrator's password.
        monitor: the database's role that may read what is watched.
        monitor_password_file: path of that role's password.
    """
    return {
        "AIRFLOW_ADMIN_USERNAME": admin,
        "AIRFLOW_ADMIN_PASSWORD_FILE": admin_password_file,
        "AIRFLOW_MONITOR_USERNAME": monitor,
        "AIRFLOW_MONITOR_PASSWORD_FILE": monitor_password_file,
    }


def migration_files() -> Mapping[str, str]:
    """Return the files that the migration's container is given: path -> text."""
    return {path: _text(path) for path in (_MIGRATE, *_MODULES)}


def probe_files() -> Mapping[str, str]:
    """Return the files that a long-running container needs, for its probe and metrics: path -> text."""
    return {path: _text(path) for path in (_HEARTBEAT, *_MODULES)}


def heartbeat_probe(job_type: str) -> tuple[str, ...]:
    """Return the probe of a process that beats in the database: ``SchedulerJob``, ``DagProcessorJob`` ..."""
    return ("python", _HEARTBEAT, job_type)


def _text(path: str) -> str:
    return (_FILES / Path(path).name).read_text()


def _core(parallelism: int, paused: bool, dag_refresh_seconds: int) -> dict[str, object]:
    return {
        "executor": "LocalExecutor",
        "parallelism": parallelism,
        "load_examples": False,
        "dags_are_paused_at_creation": paused,
        "auth_manager": "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager",
        "execution_api_server_url": "http://airflow-api-server:8080/execution/",
        # The default asks the resolver for a full name, which the probe would have to repeat.
        "hostname_callable": "socket.gethostname",
        "min_serialized_dag_update_interval": dag_refresh_seconds,
    }


def _scheduler() -> dict[str, object]:
    return {
        "task_instance_heartbeat_timeout": _LOST_TASK_SECONDS,
        "orphaned_tasks_check_interval": _ORPHAN_CHECK_SECONDS,
        "pool_metrics_interval": _GAUGE_SECONDS,
        "ti_metrics_interval": _GAUGE_SECONDS,
        "dagrun_metrics_interval": _GAUGE_SECONDS,
    }


def _logging(log_level: str) -> dict[str, object]:
    return {
        "logging_level": log_level,
        "base_log_folder": f"{HOME}/logs",
        # Group 0 reads what it ships; nobody else does.
        "file_task_handler_new_folder_permissions": "0o750",
        "file_task_handler_new_file_permissions": "0o640",
    }


def _metrics() -> dict[str, object]:
    return {
        "statsd_on": True,
        "statsd_host": "statsd-exporter",
        "statsd_port": 9125,
        "statsd_prefix": "airflow",
        "statsd_custom_client_path": "mlops_statsd.FollowingStatsClient",
        # Tags become labels in Prometheus, with no mapping of names.
        "statsd_influxdb_enabled": True,
        # The names of Airflow 2 would double every series, with ids in the names.
        "legacy_names_on": False,
    }


def _process_environment() -> dict[str, str]:
    return {
        "PYTHONPATH": f"{HOME}/include:{_STEPS}",
        # The folders of DAGs, plugins and helpers are read-only.
        "PYTHONDONTWRITEBYTECODE": "1",
        # glibc's arena for each thread costs more memory than it saves time here.
        "MALLOC_ARENA_MAX": "2",
        # Order is kept by health; the official image's own wait for the database starts Airflow once more.
        "CONNECTION_CHECK_MAX_COUNT": "0",
    }
