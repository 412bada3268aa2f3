"""One-shot step in the Airflow image: the database's schema, the administrator, the role of who watches it.

Safe to repeat. The passwords are what the files say after every run; the administrator's is set back if it
was changed in the web interface. They are read from files, since arguments and variables are visible to
everyone who can inspect containers. Environment: ``AIRFLOW_ADMIN_USERNAME``, ``AIRFLOW_ADMIN_PASSWORD_FILE``,
``AIRFLOW_MONITOR_USERNAME``, ``AIRFLOW_MONITOR_PASSWORD_FILE``.
"""

import os
import subprocess
import sys
from pathlib import Path

_CONNECTION = Path("/run/secrets/sql_alchemy_conn")
_ROLE = "Admin"
# What the exporter asks for, and no more: other columns hold run parameters, tracebacks and secrets.
_MONITORED = {
    "dag": (
        "dag_id", "is_paused", "is_stale", "exceeds_max_non_backfill", "allowed_run_types", "max_active_runs",
        "next_dagrun_create_after", "last_parse_duration", "relative_fileloc", "bundle_name",
    ),
    "dag_run": (
        "id", "dag_id", "run_id", "run_type", "state", "queued_at", "run_after", "logical_date", "start_date",
        "end_date", "context_carrier",
    ),
    "task_instance": (
        "dag_id", "task_id", "run_id", "map_index", "state", "try_number", "queued_dttm", "scheduled_dttm",
        "end_date",
    ),
    "import_error": ("filename", "bundle_name"),
    "job": ("job_type", "state", "latest_heartbeat"),
    "deadline": ("dagrun_id", "deadline_time", "missed", "last_updated_at"),
    "log": ("dttm", "event", "dag_id", "task_id", "map_index", "run_id", "try_number"),
    "trigger": ("triggerer_id", "created_date"),
}  # fmt: skip
# Every few seconds somebody asks for each DAG's latest run; Airflow has no index on the end of a run.
_FINISHED_INDEX = """
    create index if not exists mlops_dag_run_finished on dag_run (dag_id, end_date desc nulls last)
     where state in ('success', 'failed')
"""
_MONITOR_SESSIONS = 8


def migrate_database() -> None:
    """Bring the schema of Airflow and of its auth manager to the image's version."""
    subprocess.run(["airflow", "db", "migrate"], check=True)


def ensure_monitor(username: str, password: str) -> str:
    """Create the role that may read what is watched, or set it back to that, and return what was done."""
    import psycopg2  # only here, so that the rest can be tested without it
    from psycopg2 import sql
    from psycopg2.extensions import encrypt_password

    uri = _CONNECTION.read_text().strip().replace("postgresql+psycopg2://", "postgresql://", 1)
    connection = psycopg2.connect(uri, connect_timeout=10)
    try:
        role = sql.Identifier(username)
        with connection, connection.cursor() as cursor:
            cursor.execute("select from pg_roles where rolname = %s", (username,))
            created = cursor.fetchone() is None
            if created:
                cursor.execute(sql.SQL("create role {}").format(role))
            # As a verifier: the server may log the statement.
            verifier = encrypt_password(password, username, connection, "scram-sha-256")
            cursor.execute(
                sql.SQL(
                    "alter role {} with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls"
                    " connection limit {} password {}"
                ).format(role, sql.Literal(_MONITOR_SESSIONS), sql.Literal(verifier))
            )
            cursor.execute(sql.SQL("alter role {} set default_transaction_read_only to on").format(role))
            cursor.execute(sql.SQL("revoke all on all tables in schema public from {}").format(role))
            cursor.execute(sql.SQL("grant pg_monitor to {}").format(role))
            for table, columns in _MONITORED.items():
                names = sql.SQL(", ").join(map(sql.Identifier, columns))
                statement = sql.SQL("grant select ({}) on {} to {}")
                cursor.execute(statement.format(names, sql.Identifier(table), role))
            cursor.execute(_FINISHED_INDEX)
    except psycopg2.Error as error:
        message = f"the role {username!r} could not be made: {error}"
        raise RuntimeError(message) from error
    finally:
        connection.close()
    return "created" if created else "set"


def ensure_administrator(username: str, password: str) -> str:
    """Create the user, or set its role and password where they differ, and return what was done."""
    # Airflow is heavy to import and reads the schema then, so not before the migration.
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
    from werkzeug.security import check_password_hash

    with get_application_builder() as builder:
        manager = builder.sm
        role = manager.find_role(_ROLE)
        user = manager.find_user(username=username)
        if user is None:
            created = manager.add_user(username, "Platform", "Admin", f"{username}@localhost", role, password)
            if not created:
                message = f"the auth manager refused to create the user {username!r}"
                raise RuntimeError(message)
            return "created"
        changed = []
        if role not in user.roles or not user.active:
            user.roles, user.active = [*{*user.roles, role}], True
            manager.update_user(user)
            changed.append("role")
        if not check_password_hash(user.password, password):
            manager.reset_password(user.id, password)
            changed.append("password")
        return f"{' and '.join(changed)} set" if changed else "unchanged"


def _login(kind: str) -> tuple[str, str]:
    password = Path(os.environ[f"AIRFLOW_{kind}_PASSWORD_FILE"]).read_text().strip()
    return os.environ[f"AIRFLOW_{kind}_USERNAME"], password


def main() -> int:
    """Run all steps; the exit code is 0 only if all ended well."""
    admin, monitor = _login("ADMIN"), _login("MONITOR")
    try:
        migrate_database()
        print(f"role {monitor[0]!r}: {ensure_monitor(*monitor)}", flush=True)
        print(f"administrator {admin[0]!r}: {ensure_administrator(*admin)}", flush=True)
    except (subprocess.CalledProcessError, RuntimeError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
