"""What the containers of Airflow, of its database and of both exporters are told.

Decides that no secret is in an environment or an argument, that stacks do not accept each other's tokens, and
what the probes make of an age and of a page. Cannot decide that the services understand what they are told:
tests/configs asks them.
"""

import importlib.util
import re
from pathlib import Path

import pytest

from configs import airflow, airflow_exporter, postgres, postgres_exporter

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
    migration = airflow.migration_environment(
        admin="admin",
        admin_password_file="/run/secrets/a",
        monitor="m",
        monitor_password_file="/run/secrets/m",
    )
    exporter = postgres_exporter.environment(password_file="/run/secrets/m")
    told = environment() | migration | exporter
    secretive = {name for name in told if re.search("PASS|SECRET|FERNET", name)}
    assert len(secretive) > 5
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


@pytest.mark.parametrize(
    ("page", "healthy"),
    [
        ('{"metadatabase":{"status":"healthy"},"scheduler":{"status":"unhealthy"}}', True),
        ('{"metadatabase": {"status": "healthy"}}', True),
        ('{"metadatabase":{"status":"unhealthy"},"scheduler":{"status":"healthy"}}', False),
        ('{"scheduler":{"status":"healthy"}}', False),
    ],
)
def test_the_api_server_answers_for_the_database_and_for_no_other_process(page, healthy):
    assert bool(re.search(airflow.HEALTHY_BODY, page)) == healthy


def test_the_exporter_of_the_database_is_given_a_files_path_and_no_password():
    command = airflow_exporter.command(
        password_file="/run/secrets/m", services={"airflow-scheduler": "SchedulerJob"}
    )
    assert command[1] in airflow_exporter.files()
    assert command[2:] == [
        "--host=postgres",
        "--database=airflow",
        "--user=monitor",
        "--password-file=/run/secrets/m",
        "--service=airflow-scheduler=SchedulerJob",
    ]


def test_the_exporters_log_in_as_the_role_that_the_migration_makes():
    told = airflow.migration_environment(
        admin="admin",
        admin_password_file="a",
        monitor=postgres.MONITOR,
        monitor_password_file="m",
    )
    exporter = postgres_exporter.environment(password_file="m")
    assert told["AIRFLOW_MONITOR_USERNAME"] == exporter["DATA_SOURCE_USER"]
    assert postgres.MONITOR != postgres.USER


def test_postgres_flags_come_in_pairs():
    flags = postgres.flags()
    assert flags[::2] == ["-c"] * (len(flags) // 2)
    assert all("=" in setting for setting in flags[1::2])
