"""A Postgres with Airflow's schema, and the exporter that asks it."""

import urllib.request

import pytest
from elastic.containers import Network, address, network, run_to_end, wait_for
from metadata_database import ENVIRONMENT, MEBIBYTE, PASSWORDS, SECRETS, USER, Database
from prometheus_client.parser import text_string_to_metric_families

from configs import airflow, airflow_exporter, postgres


@pytest.fixture(scope="session")
def net(image_set):
    with network(image_set) as made:
        yield made


@pytest.fixture(scope="session")
def database(net: Network) -> Database:
    """A database that the platform's migration has made."""
    server = net.start(
        "postgres",
        user="999:0",
        command=["postgres", *postgres.flags()],
        environment={
            "POSTGRES_USER": postgres.USER,
            "POSTGRES_DB": postgres.DATABASE,
            "POSTGRES_PASSWORD": PASSWORDS["owner"],
        },
    )
    made = Database(server)
    wait_for("database", lambda: server.exec_run(["pg_isready", "-q", "-h", "localhost"]).exit_code == 0)
    migrate = net.start(
        "airflow",
        user=USER,
        memory=1024 * MEBIBYTE,
        entrypoint=list(airflow.MIGRATE),
        environment=ENVIRONMENT,
        files=airflow.migration_files(),
        secrets=SECRETS,
        alias="migrate",
    )
    code, log = run_to_end(migrate)
    assert code == 0, log[-3000:]
    return made


@pytest.fixture(scope="session")
def exporter(net: Network, database: Database):
    """The container, as the platform makes it."""
    del database
    server = net.start(
        "airflow",
        user=USER,
        memory=96 * MEBIBYTE,
        entrypoint=airflow_exporter.command(
            password_file="/run/secrets/postgres_monitor_password",
            services={"airflow-scheduler": "SchedulerJob", "airflow-dag-processor": "DagProcessorJob"},
        ),
        files=airflow_exporter.files(),
        secrets={"postgres_monitor_password": PASSWORDS["monitor"]},
        port=airflow_exporter.PORT,
        alias="airflow-exporter",
    )
    wait_for("answer of the probe", lambda: server.exec_run(airflow_exporter.PROBE).exit_code == 0)
    return server


@pytest.fixture
def page(exporter):
    """Scrape, and return the samples of a metric: their labels, and their values where asked for."""

    def scrape(metric: str, *, values: bool = False) -> list:
        with urllib.request.urlopen(
            f"{address(exporter, airflow_exporter.PORT)}/metrics", timeout=10
        ) as answer:
            families = list(text_string_to_metric_families(answer.read().decode()))
        samples = [sample for family in families for sample in family.samples if sample.name == metric]
        return [(sample.labels, sample.value) if values else sample.labels for sample in samples]

    return scrape


@pytest.fixture
def rows(database: Database) -> Database:
    """The database without any rows of DAGs and runs, but for the bundle."""
    database.execute("truncate dag, dag_run, job, log, import_error, trigger, deadline cascade")
    database.execute("insert into dag_bundle (name, active) values ('dags', true) on conflict do nothing")
    return database
