"""Postgres: Airflow's metadata database."""

import pulumi

from components.naming import TOKEN
from components.platform import Platform
from components.secrets import Secrets
from components.service import PIPELINE_CPU_SHARES, DataVolume, HealthCheck, Service, ServiceSpec
from configs import postgres as config
from configs.alerts import postgres as alerts
from configs.links import Links
from configs.secret_files import secret_path
from configs.watch import Watch
from settings import Settings

_USER = "999:0"
_DATA = "/var/lib/postgresql/data"


class Postgres(pulumi.ComponentResource):
    """The database server with one database and its owner, both named ``airflow``; no port on the host.

    Creates: one :class:`Service`, ``postgres``, with its data volume.

    Attributes:
        connection_uri: SQLAlchemy URI of Airflow's database; a secret.
    """

    connection_uri: pulumi.Output[str]

    @staticmethod
    def watch(links: Links) -> Watch:
        """How the database is watched; its exporter shows its figures."""
        return Watch(rules=alerts.groups(links), inhibitions=alerts.INHIBITIONS)

    def __init__(
        self,
        platform: Platform,
        settings: Settings,
        secrets: Secrets,
        *,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(f"{TOKEN}Postgres", "postgres", None, opts)
        password = secrets.postgres_password
        self.connection_uri = pulumi.Output.secret(
            pulumi.Output.format(
                "postgresql+psycopg2://{0}:{1}@{2}:5432/{3}",
                config.USER,
                password,
                config.HOST,
                config.DATABASE,
            )
        )
        spec = ServiceSpec(
            image=platform.images["postgres"],
            user=_USER,
            memory=settings.postgres.memory,
            command=["postgres", *config.flags()],
            environment={
                "POSTGRES_USER": config.USER,
                "POSTGRES_DB": config.DATABASE,
                "POSTGRES_PASSWORD_FILE": secret_path("postgres_password"),
                "POSTGRES_INITDB_ARGS": "--auth-host=scram-sha-256",
                # A directory below the mount point, so that the server can own it and keep it to itself.
                "PGDATA": f"{_DATA}/pgdata",
            },
            secrets={"postgres_password": password},
            mounts=[DataVolume("data", _DATA)],
            health=HealthCheck(
                command=["pg_isready", "-q", "-h", "localhost", "-U", config.USER, "-d", config.DATABASE],
                interval=2,
            ),
            cpu_shares=PIPELINE_CPU_SHARES,
            stop_grace=30,
            stop_signal="SIGINT",
        )
        self.service = Service(
            config.HOST, spec, platform, awaited=True, opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})
