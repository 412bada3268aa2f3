"""Secrets that may be given by hand."""

from typing import Annotated

from pydantic import BeforeValidator, SecretStr

import units
from settings.types import EncryptionKey, Password, ReceiverKey, Section, WebhookUrl


class Secrets(Section):
    """Secrets given by hand, with ``pulumi config set --secret``; passwords and keys are made otherwise."""

    airflow_admin_password: Password = None
    """Password of Airflow's administrator."""
    airflow_fernet_key: Annotated[SecretStr | None, BeforeValidator(units.fernet_key())] = None
    """Key with which Airflow encrypts connections and variables. A change makes stored ones unreadable."""
    airflow_api_secret_key: EncryptionKey = None
    """Key with which Airflow signs sessions. A change logs everybody out."""
    airflow_jwt_secret: EncryptionKey = None
    """Key with which Airflow signs API tokens. A change makes issued tokens void."""
    postgres_password: Password = None
    """Password of Airflow's database user. It counts when the database is made; later, change it in
    Postgres too (`ALTER ROLE airflow PASSWORD`), before the next `up`."""
    grafana_admin_password: Password = None
    """Password of Grafana's administrator. It counts at Grafana's first start; later, change it in
    Grafana too (`grafana cli admin reset-admin-password`)."""
    grafana_secret_key: EncryptionKey = None
    """Key with which Grafana encrypts its data sources' passwords. Another makes stored ones unreadable."""
    elastic_password: Password = None
    """Password of Elasticsearch's superuser: only the set-up steps use it."""
    kibana_system_password: Password = None
    """Password with which Kibana reads Elasticsearch."""
    kibana_encryption_key: EncryptionKey = None
    """Key with which Kibana encrypts sessions and saved objects. A change makes stored ones unreadable."""
    kibana_user_password: Password = None
    """Password of the user `kibana_user`, with whom people log in to Kibana."""
    log_reader_password: Password = None
    """Password of the user that may read logs (Grafana, Airflow)."""
    log_writer_password: Password = None
    """Password of the user that may only append logs (Filebeat)."""
    elastic_monitor_password: Password = None
    """Password of the user that may read the log store's figures, and no document."""
    jaeger_password: Password = None
    """Password of the user that may read and write traces only."""
    postgres_monitor_password: Password = None
    """Password of the database role that may only read."""
    alert_webhook_url: WebhookUrl = None
    """Address that alerts are posted to as JSON. Not given: no webhook."""
    slack_webhook_url: WebhookUrl = None
    """Slack's incoming webhook. Not given: no message to Slack."""
    pagerduty_routing_key: ReceiverKey = None
    """Integration key (Events API v2); gets critical alerts only. Not given: no call."""
    smtp_password: ReceiverKey = None
    """Password of alertmanager.smtp_username."""
    watchdog_url: WebhookUrl = None
    """Address that is posted to every minute while alerting works: a dead man's switch that lives elsewhere.
    Not given: nobody notices when the alerting itself is dead."""
