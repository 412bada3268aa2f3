"""Asks the image's Airflow and Postgres about what they are told.

Decides that every setting's name exists in this Airflow, that secrets are read from their files, that the DAG
files can be imported, that a probe without a database fails, and that Postgres takes its settings. Cannot
decide that the processes work together: the end-to-end tests do.
"""

import json
from pathlib import Path

from configs import airflow, postgres

_USER = "50000:0"
_PIPELINES = Path(airflow.__file__).parent.parent / "pipelines"
_ENVIRONMENT = airflow.environment(
    stack="test",
    public_url="http://localhost:8080",
    parallelism=2,
    api_workers=1,
    dag_refresh_seconds=10,
    dags_paused_at_creation=False,
    log_level="INFO",
)
# Any valid Fernet key will do; this one protects nothing.
_SECRETS = {
    "sql_alchemy_conn": "sqlite:////tmp/airflow.db",
    "fernet_key": "0" * 43 + "=",
    "api_secret_key": "api-secret-of-the-test",
    "jwt_secret": "jwt-secret-of-the-test",
}
_UNKNOWN_SETTINGS = """
import json, os
from airflow.configuration import conf
names = [name.split("__")[1:] for name in os.environ if name.startswith("AIRFLOW__")]
known = conf.configuration_description
plain = [(section.lower(), key.lower().removesuffix("_cmd")) for section, key in names]
print("RESULT " + json.dumps({
    "unknown": [f"{s}.{k}" for s, k in plain if k not in known.get(s, {}).get("options", {})],
    "secrets": [conf.get(*key) for key in
        [("core", "fernet_key"), ("api", "secret_key"), ("api_auth", "jwt_secret")]],
}))
"""
_DAG_IDS = """
import json, pathlib, runpy
found = {}
for file in sorted(pathlib.Path("/opt/airflow/dags").glob("*.py")):
    made = runpy.run_path(str(file))
    found[file.stem] = made["PIPELINE"]
print("RESULT " + json.dumps(found))
"""


def _files(*folders: str) -> dict[str, str]:
    secrets = {f"/run/secrets/{name}": text for name, text in _SECRETS.items()}
    folder_files = {
        f"{airflow.HOME}/{folder}/{path.name}": path.read_text()
        for folder in folders
        for path in (_PIPELINES / folder).glob("*.py")
    }
    return secrets | dict(airflow.probe_files()) | folder_files


def _result(answer) -> dict:
    assert answer.returncode == 0, answer.stderr.decode()[-2000:]
    lines = [line for line in answer.stdout.decode().splitlines() if line.startswith("RESULT ")]
    return json.loads(lines[-1].removeprefix("RESULT "))


def test_airflow_knows_every_setting_and_reads_the_secrets(run_in_image):
    command = ["python", "-c", _UNKNOWN_SETTINGS]
    found = _result(run_in_image("airflow", command, _files(), user=_USER, environment=_ENVIRONMENT))
    assert found["unknown"] == []
    assert found["secrets"] == [_SECRETS[name] for name in ("fernet_key", "api_secret_key", "jwt_secret")]


def test_dag_files_can_be_imported_without_the_teams_packages(run_in_image):
    command, files = ["python", "-c", _DAG_IDS], _files("dags", "include")
    found = _result(run_in_image("airflow", command, files, user=_USER, environment=_ENVIRONMENT))
    assert found == {"breast_cancer": "breast_cancer", "fails_on_purpose": "fails_on_purpose"}


def test_the_probe_fails_without_a_database(run_in_image):
    files = _files() | {"/run/secrets/sql_alchemy_conn": "postgresql+psycopg2://a:b@127.0.0.1:1/c"}
    command = airflow.heartbeat_probe("SchedulerJob")
    answer = run_in_image("airflow", command, files, user=_USER, environment=_ENVIRONMENT)
    assert answer.returncode == 1


def test_postgres_takes_every_setting(run_in_image):
    script = (
        'set -e; initdb --no-sync -D /tmp/data > /dev/null; postgres -D /tmp/data -C max_connections "$@"'
    )
    command = ["bash", "-c", script, "postgres", *postgres.flags()]
    answer = run_in_image("postgres", command, {}, user="999:0")
    assert answer.returncode == 0, answer.stderr.decode()
    assert answer.stdout.decode().strip() == "200"
