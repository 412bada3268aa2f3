"""Secrets: given as secret config (``secrets.<name>``) or generated on the first ``up``, never a default.

Generated ones live encrypted in the stack's state. They are URL-safe, so that none needs quoting anywhere.
"""

import pulumi
import pulumi_random as random

from components.naming import TOKEN
from configs import elasticsearch as config
from settings import Settings

_LENGTH = 32
_FERNET_BYTES = 32
RECEIVER_SECRETS = (
    "alert_webhook_url",
    "slack_webhook_url",
    "pagerduty_routing_key",
    "smtp_password",
    "watchdog_url",
)
"""Secrets of those who are told of alerts; nobody can generate them."""


class Secrets(pulumi.ComponentResource):
    """All secrets of a stack.

    Creates: ``random.RandomPassword`` for each password and ``random.RandomBytes`` for the Fernet key, but
    for those that the stack's config gives.

    Attributes:
        airflow_fernet_key: encrypts connections and variables in Airflow's database.
        airflow_jwt_secret: signs the tokens with which tasks call Airflow's execution API.
        kibana_encryption_key: encrypts Kibana's saved objects, sessions and reports.
        receivers: those of :data:`RECEIVER_SECRETS` that are given.
    """

    def __init__(self, *, protect: bool) -> None:
        super().__init__(f"{TOKEN}Secrets", "secrets")
        self._config = pulumi.Config()
        self._options = pulumi.ResourceOptions(parent=self, protect=protect)
        self.airflow_admin_password = self._password("airflow_admin_password")
        self.airflow_api_secret_key = self._password("airflow_api_secret_key")
        self.airflow_fernet_key = self._fernet_key("airflow_fernet_key")
        self.airflow_jwt_secret = self._password("airflow_jwt_secret")
        self.postgres_password = self._password("postgres_password")
        self.grafana_admin_password = self._password("grafana_admin_password")
        self.grafana_secret_key = self._password("grafana_secret_key")
        self.elastic_password = self._password("elastic_password")
        self.kibana_system_password = self._password("kibana_system_password")
        self.kibana_encryption_key = self._password("kibana_encryption_key")
        self.kibana_user_password = self._password("kibana_user_password")
        self.log_reader_password = self._password("log_reader_password")
        self.log_writer_password = self._password("log_writer_password")
        self.elastic_monitor_password = self._password("elastic_monitor_password")
        self.jaeger_password = self._password("jaeger_password")
        self.postgres_monitor_password = self._password("postgres_monitor_password")
        given = {name: self._given(name) for name in RECEIVER_SECRETS}
        self.receivers = {name: value for name, value in given.items() if value is not None}
        self.register_outputs({})

    def credentials(self, settings: Settings) -> dict[str, dict[str, pulumi.Input[str]]]:
        """How people and scripts log in: service -> username and password, for the services that are on."""
        reader = {"username": config.LOG_READER, "password": self.log_reader_password}
        known = {
            "airflow": {
                "username": settings.airflow.admin_username,
                "password": self.airflow_admin_password,
            },
            "grafana": {
                "username": settings.grafana.admin_username,
                "password": self.grafana_admin_password,
            },
            "elasticsearch": reader,
            "kibana": {"username": config.KIBANA_USER, "password": self.kibana_user_password},
        }
        return {service: login for service, login in known.items() if service in settings.endpoints()}

    def _password(self, name: str) -> pulumi.Output[str]:
        return self._given(name) or self._generate_password(name)

    def _fernet_key(self, name: str) -> pulumi.Output[str]:
        return self._given(name) or self._generate_fernet_key(name)

    def _given(self, name: str) -> pulumi.Output[str] | None:
        return self._config.get_secret(f"secrets.{name}")

    def _generate_password(self, name: str) -> pulumi.Output[str]:
        return random.RandomPassword(
            _resource_name(name), length=_LENGTH, special=False, opts=self._options
        ).result

    def _generate_fernet_key(self, name: str) -> pulumi.Output[str]:
        key = random.RandomBytes(_resource_name(name), length=_FERNET_BYTES, opts=self._options)
        url_safe = key.base64.apply(lambda text: text.replace("+", "-").replace("/", "_"))
        return pulumi.Output.secret(url_safe)


def _resource_name(name: str) -> str:
    return name.replace("_", "-")
