"""Decides that given secrets are strong, encrypted and never shown, whatever else is wrong with them.

It cannot decide that the services accept them; the end-to-end tests log in with them.
"""

import base64

import pytest
from stack_config import problems_of, settings_of

FERNET_KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


def test_secrets_are_taken_and_never_shown():
    values = {"secrets.postgres_password": "s3cret-Passw0rd", "secrets.airflow_fernet_key": FERNET_KEY}
    settings = settings_of(values, secret=values)
    assert settings.secrets.postgres_password.get_secret_value() == "s3cret-Passw0rd"
    assert settings.secrets.airflow_fernet_key.get_secret_value() == FERNET_KEY
    assert settings.secrets.elastic_password is None
    assert "s3cret" not in f"{settings!r}{settings}{settings.secrets!r}{settings.model_dump()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("postgres_password", ""),
        ("postgres_password", "eleven-char"),
        ("postgres_password", "aaaaaaaaaaaaaaaa"),
        ("postgres_password", "with$dollar-and-more"),
        ("postgres_password", "with'quote-and-more"),
        ("postgres_password", "with-newline-and-more\n"),
        ("postgres_password", "pässwörd-with-umlauts"),
        ("postgres_password", "long-" * 200),
        ("airflow_jwt_secret", "only-20-characters-x"),
        ("airflow_fernet_key", "not-a-key-but-long-enough-for-a-password-yes"),
        ("airflow_fernet_key", base64.b64encode(bytes(range(224, 256))).decode()),
        ("airflow_fernet_key", FERNET_KEY[:-4]),
    ],
)
def test_weak_or_odd_secrets_are_refused_and_never_shown(name, value):
    message = problems_of({f"secrets.{name}": value}, secret=[f"secrets.{name}"])[f"secrets.{name}"]
    assert message.startswith("the value given is not accepted")
    assert not value or value.strip() not in message


def test_secrets_in_plain_text_are_refused_and_never_shown():
    message = problems_of({"secrets.elastic_password": "s3cret-Passw0rd"})["secrets.elastic_password"]
    assert "pulumi config set --secret secrets.elastic_password" in message
    assert "s3cret" not in message


def test_secrets_in_an_object_are_refused_and_never_shown():
    values = {"secrets": '{"elastic_password": "s3cret-Passw0rd"}'}
    message = problems_of(values, secret=values)["secrets.elastic_password"]
    assert "--path" in message
    assert "s3cret" not in message


def test_encrypted_values_of_ordinary_settings_are_not_shown():
    assert "12345" not in str(problems_of({"airflow.port": "1234567"}, secret=["airflow.port"]))
