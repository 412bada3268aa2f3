"""Decides that a configuration is either taken as meant or refused with every mistake named.

It cannot decide what the CLI hands over: the texts here are what it was seen to hand over.
"""

import json

import pytest
from stack_config import PROJECT, problems_of, settings_of

from settings import SettingsError, read
from settings.model import Settings, declared, kind_of
from units import GIB, MIB, duration_text, mebibytes, size_text

KEYS = dict(declared())


def test_without_configuration_every_default_holds():
    settings = settings_of()
    assert settings == Settings(project=PROJECT, stack="dev")
    assert settings.airflow.scheduler_memory == 1536 * MIB
    assert settings.prometheus.retention_time == 15 * 24 * 3600
    assert settings.ports() == {
        "airflow-api-server": 8080,
        "prometheus": 9090,
        "grafana": 3000,
        "elasticsearch": 9200,
        "kibana": 5601,
        "statsd-exporter": 9102,
        "alertmanager": 9093,
        "jaeger": 16686,
    }


def test_defaults_given_as_text_are_the_defaults():
    texts = {
        key: kind_of(field).text(field.default) for key, field in KEYS.items() if field.default is not None
    }
    assert settings_of(texts) == settings_of()


def test_every_setting_has_a_description_and_a_grammar():
    for key, field in KEYS.items():
        assert len(field.description or "") > 10, key
        assert field.description.rstrip().endswith("."), key
        assert kind_of(field).accepts, key


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("airflow.port", "18080", 18080),
        ("airflow.scheduler_memory", "2g", 2 * GIB),
        ("airflow.scheduler_memory", "2048m", 2 * GIB),
        ("airflow.scheduler_memory", "2gib", 2 * GIB),
        ("airflow.triggerer_enabled", "false", False),
        ("airflow.dags_path", "/srv/dags", "/srv/dags"),
        ("prometheus.scrape_interval", "30s", 30),
        ("image_registry", "mirror.example:5000/hub", "mirror.example:5000/hub"),
        ("bind_address", "::1", "::1"),
        ("kibana.image", "localhost:5000/kibana-double:1", "localhost:5000/kibana-double:1"),
    ],
)
def test_accepted(key, text, value):
    section, _, name = key.rpartition(".")
    settings = settings_of({key: text})
    assert getattr(getattr(settings, section) if section else settings, name) == value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        *(
            ("airflow.port", text)
            for text in ("0", "80", "1023", "65536", "-1", "web", "", "8080.0", " 8080", "\uff18\uff10")
        ),
        *(("postgres.memory", text) for text in ("512", "0", "-1g", "1.5GiB", "512MB", "1KiB", "99TiB", "")),
        *(
            ("prometheus.scrape_interval", text)
            for text in ("5", "0s", "-5s", "6m", "5 s", "1m30s", "*/5 * * * *")
        ),
        *(("prometheus.retention_time", text) for text in ("0d", "59m", "11y", "99999999999999999999d")),
        *(("kibana.enabled", text) for text in ("yes", "True", "1", "on", "null")),
        *(
            ("airflow.dags_path", text)
            for text in ("../dags", "a/../../b", "dags;rm -rf", "my dags", "~/dags", "-v", "")
        ),
        *(("airflow.admin_username", text) for text in ("", "a b", "x'--", "ädmin", "a" * 64)),
        *(("bind_address", text) for text in ("localhost", "127.0.0", "fe80::1%eth0", "")),
        *(("image_registry", text) for text in ("http://mirror", "mirror/", "-mirror", "a b")),
        *(("kibana.image", text) for text in ("kibana", "kibana:latest", "Kibana:9", "kibana:9;ls")),
        ("image_set", "Official"),
        ("port_base", "80"),
        ("airflow.parallelism", "0"),
        ("airflow.log_level", "verbose"),
    ],
)
def test_refused_naming_value_and_what_is_accepted(key, text):
    problems = problems_of({key: text})
    assert list(problems) == [key]
    assert problems[key].endswith(kind_of(KEYS[key]).accepts)
    assert problems[key].startswith(("'", '"'))


def test_every_mistake_at_once_sorted_by_key():
    values = {
        "prometheus.scrape_intervall": "5s",
        "airflow.port": "99999",
        "elasticsearch.heap": "lots",
        "elasticsearch.memory": "600MiB",
        "image_set": "mine",
        "kibana.enabled": "false",
        "grafana.port": "9090",
        "filebeat": "on",
        "secrets.elastic_password": "short",
    }
    problems = problems_of(values, stack="Dev-1", secret=["secrets.elastic_password"])
    assert list(problems) == [
        "airflow.port",
        "elasticsearch.heap",
        "filebeat",
        "grafana.port",
        "image_set",
        "prometheus.scrape_intervall",
        "secrets.elastic_password",
        "stack",
    ]
    assert "did you mean prometheus.scrape_interval?" in problems["prometheus.scrape_intervall"]
    assert "'Dev-1'" in problems["stack"]


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("airflow.prot", "airflow.port"),
        ("paralellism", "airflow.parallelism"),
        ("prometheus.retention", "prometheus.retention_time"),
        ("kibanna.enabled", "kibana.enabled"),
        ("Airflow.Port", "airflow.port"),
        ("secrets.postgres_pasword", "secrets.postgres_password"),
    ],
)
def test_unknown_key_is_refused_with_the_nearest(misspelt, meant):
    message = problems_of({misspelt: "hunter2hunter2"})[misspelt]
    assert message.endswith(f"did you mean {meant}?")
    assert "hunter2" not in message


def test_unknown_key_unlike_any_other_gets_no_suggestion():
    assert problems_of({"zzz": "1"}) == {"zzz": "there is no such setting"}


def test_keys_of_others_are_left_alone():
    assert settings_of(other={"docker:host": "tcp://x", "other:airflow.port": "x"}) == settings_of()


def test_nested_objects_are_the_same_as_dotted_keys():
    nested = {"airflow": json.dumps({"port": 8081, "triggerer_enabled": False, "scheduler_memory": "2GiB"})}
    flat = {"airflow.port": "8081", "airflow.triggerer_enabled": "false", "airflow.scheduler_memory": "2GiB"}
    assert settings_of(nested) == settings_of(flat)


def test_nested_default_beside_a_flat_value_gives_way():
    both = {"airflow": json.dumps({"port": 8080, "parallelism": 4}), "airflow.port": "8081"}
    assert settings_of(both).airflow.port == 8081
    assert settings_of(dict(reversed(both.items()))).airflow.port == 8081


def test_two_different_values_for_one_key_are_refused():
    for flat in ("8081", "8080"):
        message = problems_of({"airflow": '{"port": 8082}', "airflow.port": flat})["airflow.port"]
        assert flat in message
        assert "8082" in message


@pytest.mark.parametrize("value", [None, [1], {"a": 1}, 8080.5, True])
def test_nested_values_of_another_type_are_refused(value):
    assert list(problems_of({"airflow": json.dumps({"port": value})})) == ["airflow.port"]


@pytest.mark.parametrize("text", ["on", "[1]", "null", "[" * 5000, "{"])
def test_a_value_in_place_of_a_group_is_refused(text):
    assert "airflow.port" in problems_of({"airflow": text})["airflow"]


def test_long_and_odd_values_and_keys_stay_on_one_short_line():
    problems = problems_of({"airflow.dags_path": "x\n" * 5000, "a\nb" + "c" * 10_000: "1"})
    assert all(len(message) < 250 for message in problems.values())
    with pytest.raises(SettingsError) as refused:
        settings_of({"a\nb" + "c" * 10_000: "1"})
    report = str(refused.value)
    assert report.count("\n") == 1
    assert len(report) < 400


def test_heap_may_take_half_of_the_memory_and_no_more():
    assert settings_of({"elasticsearch.memory": "2GiB", "elasticsearch.heap": "1GiB"})
    message = problems_of({"elasticsearch.memory": "2GiB", "elasticsearch.heap": "1025MiB"})[
        "elasticsearch.heap"
    ]
    assert "at most 1GiB" in message


def test_ports_must_differ_but_for_services_that_are_off():
    assert "prometheus" in problems_of({"grafana.port": "9090"})["grafana.port"]
    assert settings_of({"grafana.port": "9090", "grafana.enabled": "false"})


def test_port_base_gives_a_row_that_does_not_depend_on_what_is_enabled():
    with_all = settings_of({"port_base": "20000"}).ports()
    assert with_all == dict(zip(settings_of().ports(), range(20000, 20008), strict=True))
    without = settings_of({"port_base": "20000", "grafana.enabled": "false", "airflow.port": "8888"}).ports()
    assert without == {k: v for k, v in with_all.items() if k != "grafana"} | {"airflow-api-server": 8888}


_LOG_CLIENTS = ("kibana", "filebeat", "filebeat_containers", "jaeger")


@pytest.mark.parametrize("client", _LOG_CLIENTS)
def test_services_that_need_elasticsearch(client):
    off = {f"{each}.enabled": "false" for each in ("elasticsearch", *_LOG_CLIENTS)}
    settings = settings_of(off)
    assert not {"elasticsearch", "kibana", "filebeat", "kibana-setup"} & settings.memory().keys()
    assert list(problems_of(off | {f"{client}.enabled": "true"})) == [f"{client}.enabled"]


def test_kibana_in_an_image_set_without_it():
    assert list(problems_of({"image_set": "packages"})) == ["kibana.enabled"]
    assert settings_of({"image_set": "packages", "kibana.enabled": "false"})
    assert settings_of({"image_set": "packages", "kibana.image": "double:1"})


def test_nothing_follows_from_a_broken_key():
    broken = {"elasticsearch.memory": "much", "elasticsearch.heap": "30GiB", "image_set": "mine"}
    assert list(problems_of(broken)) == ["elasticsearch.memory", "image_set"]
    assert list(problems_of({"grafana.port": "9090", "prometheus.port": "x"})) == ["prometheus.port"]


def test_reading_keeps_defaults_for_broken_keys():
    reading = read({f"{PROJECT}:airflow.port": "x"}, project=PROJECT, stack="dev")
    assert reading.settings == Settings(project=PROJECT, stack="dev")
    assert reading.broken == {"airflow.port"}


@pytest.mark.parametrize("stack", ["Dev", "1dev", "dev-1", "dev_1", "", "../dev", "a" * 32, "dév"])
def test_stack_names(stack):
    assert list(problems_of(stack=stack)) == ["stack"]


def test_endpoints_of_published_services():
    endpoints = settings_of({"grafana.enabled": "false", "airflow.port": "8888"}).endpoints()
    assert endpoints.keys() == {
        *("airflow", "prometheus", "elasticsearch", "kibana", "statsd-exporter"),
        *("alertmanager", "jaeger"),
    }
    assert endpoints["airflow"] == "http://127.0.0.1:8888"
    for address, shown in (("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("192.0.2.7", "192.0.2.7")):
        assert settings_of({"bind_address": address}).endpoints()["airflow"] == f"http://{shown}:8080"


def test_memory_names_containers():
    memory = settings_of({"airflow.triggerer_enabled": "false", "statsd_exporter.memory": "64MiB"}).memory()
    assert memory["statsd-exporter"] == 64 * MIB
    assert "airflow-triggerer" not in memory
    assert {"airflow-migrate", "elasticsearch-setup", "kibana-setup"} <= memory.keys()


def test_units_as_text():
    assert [size_text(n) for n in (1536 * MIB, 4 * GIB, 1000)] == ["1536MiB", "4GiB", "1000B"]
    assert [duration_text(n) for n in (15 * 86400, 90, 60, 0)] == ["15d", "90s", "1m", "0s"]
    assert mebibytes(2 * GIB) == 2048


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        settings_of().airflow.port = 1


def test_no_login_over_an_open_connection():
    texts = {
        "alertmanager.email_to": "oncall@example.org",
        "alertmanager.smtp_host": "mail.example.org:587",
        "alertmanager.smtp_username": "alerts",
        "alertmanager.smtp_require_tls": "false",
        "secrets.smtp_password": "only-for-tests",
    }
    secret = ["secrets.smtp_password"]
    assert list(problems_of(texts, secret=secret)) == ["alertmanager.smtp_require_tls"]
    assert settings_of(texts | {"alertmanager.smtp_host": "mail.example.org:465"}, secret=secret)


@pytest.mark.parametrize("key", ["alert_webhook_url", "pagerduty_routing_key", "smtp_password"])
def test_an_empty_receiver_is_refused(key):
    assert f"secrets.{key}" in problems_of({f"secrets.{key}": ""}, secret=[f"secrets.{key}"])


@pytest.mark.parametrize(
    ("half", "other"),
    [
        ("alertmanager.email_to", "alertmanager.smtp_host"),
        ("alertmanager.smtp_host", "alertmanager.email_to"),
        ("alertmanager.email_from", "alertmanager.email_to"),
        ("alertmanager.smtp_username", "secrets.smtp_password"),
        ("secrets.smtp_password", "alertmanager.smtp_username"),
        ("alertmanager.slack_channel", "secrets.slack_webhook_url"),
    ],
)
def test_half_a_receiver_is_refused(half, other):
    texts = {
        "alertmanager.email_to": "oncall@example.org",
        "alertmanager.email_from": "alerts@example.org",
        "alertmanager.smtp_host": "mail.example.org:587",
        "alertmanager.smtp_username": "alerts",
        "secrets.smtp_password": "only-for-tests",
        "alertmanager.slack_channel": "#alerts",
        "secrets.slack_webhook_url": "https://hooks.example.org/T/B/X",
    }
    secret = [key for key in texts if key.startswith("secrets.")]
    assert settings_of(texts, secret=secret)
    without = {key: text for key, text in texts.items() if key != other}
    assert other in problems_of(without, secret=[key for key in secret if key != other])[half]
