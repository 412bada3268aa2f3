"""Whether Jaeger's old indices are deleted, and nothing else, by the program and user that are to do it.

Decides: which indices are expired, that the user's rights suffice, and that a cleaner which cannot
do its work says so and is unhealthy. Cannot decide that it looks again an hour later.
"""

import importlib.util
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from conftest import SECRETS, STACK, LogStore
from containers import execute, wait_for
from docker.models.containers import Container

from configs import jaeger

KEEP_DAYS = 7
PREFIX = jaeger.index_prefix(STACK)


def retention():
    path = Path(jaeger.__file__).with_suffix("") / "retention.py"
    spec = importlib.util.spec_from_file_location("retention", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TODAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("name", "is_expired"),
    [
        ("jaeger-dev-jaeger-span-2026-03-10", False),
        ("jaeger-dev-jaeger-span-2026-03-03", False),
        ("jaeger-dev-jaeger-span-2026-03-02", True),
        ("jaeger-dev-jaeger-service-2026-03-02", True),
        ("jaeger-dev-jaeger-span-2025-12-31", True),
        ("jaeger-dev-jaeger-span-2026-04-01", False),
        ("jaeger-dev2-jaeger-span-2026-03-02", False),
        ("jaeger-dev-jaeger-span-2026-03-02-copy", False),
        ("jaeger-dev-jaeger-span-read", False),
        ("logs-airflow.task-dev-2026.03.02-000001", False),
    ],
)
def test_an_index_is_expired_once_its_youngest_span_is(name, is_expired):
    """On the tenth, seven days reach back into the third, whose last spans are not that old yet."""
    told = retention().expired([name], prefix="jaeger-dev", keep_days=KEEP_DAYS, today=TODAY)
    assert bool(told) == is_expired


def _cleaner(log_store: LogStore, password: str) -> Container:
    return log_store.network.start(
        "airflow",
        alias="jaeger-retention",
        user="50000:0",
        memory=64 * 2**20,
        entrypoint=jaeger.retention_command(
            stack=STACK, password_file="/run/secrets/jaeger_password", retention_seconds=KEEP_DAYS * 86400
        ),
        files=jaeger.retention_files(),
        secrets={"jaeger_password": password},
    )


def test_the_cleaner_deletes_what_is_old_and_nothing_else(log_store):
    today = datetime.now(UTC).date()

    def index(kind: str, age: int) -> str:
        return f"{PREFIX}-jaeger-{kind}-{today - timedelta(days=age)}"

    old = {index("span", KEEP_DAYS + 1), index("service", KEEP_DAYS + 1), index("span", 300)}
    kept = {
        index("span", KEEP_DAYS),
        f"{PREFIX}-jaeger-span-2020-01-01-kept",
        "jaeger-x-jaeger-span-2020-01-01",
    }
    for name in old | kept:
        made = log_store.ask("PUT", f"/{name}", {"settings": {"number_of_replicas": 0}})
        assert made.ok, made.text
    try:
        cleaner = _cleaner(log_store, SECRETS["jaeger_password"])
        wait_for("a pass of the cleaner", lambda: execute(cleaner, jaeger.RETENTION_PROBE)[0] == 0)
        there = {
            index["index"] for index in log_store.ask("GET", "/_cat/indices/jaeger-*?format=json").json()
        }
        assert kept <= there
        assert not old & there
        assert cleaner.logs().decode().count("deleted") == len(old)
    finally:
        for name in kept:
            log_store.ask("DELETE", f"/{name}")


def test_a_cleaner_that_is_refused_says_so_and_is_unhealthy(log_store):
    cleaner = _cleaner(log_store, "not-the-password")
    said = wait_for("the reason", lambda: cleaner.logs().decode())
    assert "not cleaned: GET /_resolve/index/" in said
    assert "answered 401" in said
    assert "not-the-password" not in said
    assert execute(cleaner, jaeger.RETENTION_PROBE)[0] != 0
    cleaner.stop(timeout=5)
