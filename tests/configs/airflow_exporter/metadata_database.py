"""Airflow's metadata database with rows that Airflow would write, and what its containers are told."""

from configs import airflow, postgres

USER = "50000:0"
MEBIBYTE = 2**20
PASSWORDS = {"owner": "owner-of-the-test", "monitor": "monitor-of-the-test"}
SECRETS = {
    "sql_alchemy_conn": f"postgresql+psycopg2://{postgres.USER}:{PASSWORDS['owner']}@postgres/{postgres.DATABASE}",
    # Any valid Fernet key will do; this one protects nothing.
    "fernet_key": "0" * 43 + "=",
    "api_secret_key": "api-secret-of-the-test",
    "jwt_secret": "jwt-secret-of-the-test",
    "airflow_admin_password": "admin-of-the-test",
    "postgres_monitor_password": PASSWORDS["monitor"],
}
ENVIRONMENT = airflow.environment(
    stack="test",
    public_url="http://localhost:8080",
    parallelism=2,
    api_workers=1,
    dag_refresh_seconds=10,
    dags_paused_at_creation=False,
    log_level="INFO",
) | airflow.migration_environment(
    admin="admin",
    admin_password_file="/run/secrets/airflow_admin_password",
    monitor=postgres.MONITOR,
    monitor_password_file="/run/secrets/postgres_monitor_password",
)
DAG_FILE = """
from airflow.sdk import dag, task

@task
def part(number):
    if number == 2:
        raise ValueError("no such part")

@dag(dag_id="written-by.airflow", schedule=None)
def pipeline():
    part.expand(number=[1, 2, 3])

pipeline()
"""
TRACED = (
    '{"__type": "dict", "__var": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}'
)


class Database:
    """Airflow's metadata database."""

    def __init__(self, server) -> None:
        self.server = server

    def execute(self, statement: str, *, role: str = "owner") -> list[str]:
        """The rows of the answer, as text.

        Raises:
            PermissionError: with the server's message, if it refuses.
        """
        user = postgres.USER if role == "owner" else postgres.MONITOR
        command = ["psql", "-qAt", "-v", "ON_ERROR_STOP=1", "-h", "localhost", "-U", user, postgres.DATABASE]
        done = self.server.exec_run(
            [*command, "-c", statement], environment={"PGPASSWORD": PASSWORDS[role]}, demux=True
        )
        if done.exit_code:
            raise PermissionError(done.output[1].decode())
        return (done.output[0] or b"").decode().splitlines()

    def dag(self, dag_id: str = "a", **values: str) -> None:
        row = {"dag_id": text(dag_id), "relative_fileloc": text(f"{dag_id}.py"), "max_active_runs": "16"}
        fixed = {"is_paused": "false", "is_stale": "false", "bundle_name": "'dags'", "timetable_type": "''"}
        fixed |= {"max_active_tasks": "16", "max_consecutive_failed_dag_runs": "0"}
        fixed |= {"has_task_concurrency_limits": "false", "partition_mapper_info": "'[]'"}
        self._insert("dag", fixed | row | values)

    def run(self, run_id: str, state: str, *, ended: int = 0, dag_id: str = "a", **values: str) -> None:
        """A run; it ended so many seconds ago, if its state says that it did."""
        finished = state in ("success", "failed")
        row = {
            "dag_id": text(dag_id),
            "run_id": text(run_id),
            "state": text(state),
            "run_type": "'manual'",
        }
        row |= {
            "run_after": "now()",
            "start_date": ago(ended + 60),
            "span_status": "''",
            "queued_at": ago(60),
        }
        row |= {"end_date": ago(ended) if finished else "null"}
        self._insert("dag_run", row | values)

    def task(self, run_id: str, task_id: str, state: str, *, dag_id: str = "a", **values: str) -> None:
        row = {"id": "gen_random_uuid()", "dag_id": text(dag_id), "run_id": text(run_id)}
        row |= {"task_id": text(task_id), "state": text(state), "try_number": "1", "pool": "'default_pool'"}
        self._insert("task_instance", row | {"pool_slots": "1", "span_status": "''"} | values)

    def _insert(self, table: str, row: dict[str, str]) -> None:
        self.execute(f"insert into {table} ({', '.join(row)}) values ({', '.join(row.values())})")


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def ago(seconds: float) -> str:
    return f"now() - interval '{seconds} s'"
