"""What Airflow's and Postgres's containers are told.

Decides that no secret is in an environment, that stacks do not accept each other's tokens, and what the
heartbeat probe makes of an age. Cannot decide that Airflow understands the settings: tests/configs asks it.
"""

import importlib.util
from pathlib import Path

import pytest

from configs import airflow, postgres

_ARGUMENTS = {
    "stack": "dev",
    "public_url": "http://localhost:8080",
    "parallelism": 4,
    "api_workers": 1,
    "dag_refresh_seconds": 10,
    "dags_paused_at_creation": False,
    "log_level": "INFO",
}


def environment(**changes: object) -> dict[str, str]:
    return airflow.environment(**{**_ARGUMENTS, **changes})


def load(name: str):
    path = Path(airflow.__file__).with_suffix("") / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_everything_is_text():
    assert all(isinstance(value, str) for value in environment().values())


@pytest.mark.parametrize("section_key", ["DATABASE__SQL_ALCHEMY_CONN", "CORE__FERNET_KEY", "API__SECRET_KEY"])
def test_secrets_are_read_from_files(section_key):
    told = environment()
    assert f"AIRFLOW__{section_key}" not in told
    assert told[f"AIRFLOW__{section_key}_CMD"].startswith("cat /run/secrets/")


def test_no_other_variable_names_a_password_or_key():
    admin = airflow.admin_environment(username="admin", password_file="/run/secrets/p")
    secretive = {k for k in environment() | admin if any(w in k for w in ("PASSWORD", "SECRET", "FERNET"))}
    assert all(name.endswith(("_CMD", "_FILE")) for name in secretive)


def test_stacks_do_not_accept_each_others_tokens():
    one, other = environment(stack="dev"), environment(stack="prod")
    for key in ("API_AUTH__JWT_ISSUER", "API_AUTH__JWT_AUDIENCE", "EXECUTION_API__JWT_AUDIENCE"):
        assert one[f"AIRFLOW__{key}"] != other[f"AIRFLOW__{key}"]


def test_tasks_and_users_have_tokens_of_their_own():
    told = environment()
    assert told["AIRFLOW__API_AUTH__JWT_AUDIENCE"] != told["AIRFLOW__EXECUTION_API__JWT_AUDIENCE"]


def test_metrics_carry_tags_and_no_second_name():
    told = environment()
    assert told["AIRFLOW__METRICS__STATSD_INFLUXDB_ENABLED"] == "True"
    assert told["AIRFLOW__METRICS__LEGACY_NAMES_ON"] == "False"


def test_a_new_file_is_seen_within_the_refresh_interval():
    told = environment(dag_refresh_seconds=3)
    assert told["AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL"] == "3"
    assert int(told["AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL"]) <= 3


def test_a_longer_refresh_interval_is_not_undercut_by_parsing():
    told = environment(dag_refresh_seconds=300)
    assert told["AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL"] == "300"


def test_commands_use_the_files_that_are_handed_over():
    assert airflow.MIGRATE[-1] in airflow.migration_files()
    probe = airflow.heartbeat_probe("SchedulerJob")
    assert probe[-1] == "SchedulerJob"
    assert probe[-2] in airflow.probe_files()


def test_the_statsd_client_is_importable_where_it_is_put():
    told = environment()
    module = told["AIRFLOW__METRICS__STATSD_CUSTOM_CLIENT_PATH"].partition(".")[0]
    for files in (airflow.probe_files(), airflow.migration_files()):
        folders = {str(Path(path).parent) for path in files if Path(path).stem == module}
        assert folders & set(told["PYTHONPATH"].split(":"))


@pytest.mark.parametrize(
    ("age", "problem"),
    [
        (0.0, None),
        (29.0, None),
        (31.0, "the last heartbeat is 31 s old"),
        (None, "no running job of this container yet"),
    ],
)
def test_the_probe_judges_the_newest_heartbeat(age, problem):
    assert load("heartbeat").verdict(age) == problem


def test_postgres_flags_come_in_pairs():
    flags = postgres.flags()
    assert flags[::2] == ["-c"] * (len(flags) // 2)
    assert all("=" in setting for setting in flags[1::2])
