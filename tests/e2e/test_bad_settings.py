"""What a user sees of wrong settings, through the real CLI and with the real engine.

Decides: every mistake is in one report, by key, without a traceback, before any resource is registered.
Cannot decide: each rule by itself (tests/unit/test_settings*.py).
"""

import re
import socket
from collections.abc import Iterator

import pytest
from deployment import Deployment, copy_program, deployment, free_port_base

from configs.versions import ImageSet


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory, image_set: ImageSet) -> Iterator[Deployment]:
    """A stack of the real program that is never brought up."""
    home = tmp_path_factory.mktemp("bad")
    with deployment(copy_program(home / "program"), "e2ebad", home) as stack:
        stack.init({"image_set": image_set, "kibana.enabled": "false"})
        yield stack


def test_all_mistakes_in_one_report(made: Deployment) -> None:
    """A misspelt key, a wrong type, a wrong size, a clash, a taken port and too much memory, all at once."""
    port = free_port_base()
    with socket.create_server(("127.0.0.1", port)):
        wrong = {
            "prometheus.scrape_intervall": "5s",
            "airflow.parallelism": "many",
            "prometheus.retention_size": "384",
            "airflow.port": str(port + 1),
            "grafana.port": str(port + 1),
            "prometheus.port": str(port),
            "elasticsearch.heap": "1GiB",
            "postgres.memory": "900GiB",
        }
        for key, value in wrong.items():
            made.set(key, value)
        outcome = made.up()
    assert outcome.code != 0
    assert "Traceback" not in outcome.text
    for key in ("prometheus.scrape_intervall", "airflow.parallelism", "prometheus.retention_size"):
        assert f"{key}: " in outcome.text, outcome.text
    for key in ("prometheus.port", "grafana.port", "elasticsearch.heap"):
        assert key in outcome.text, outcome.text
    assert re.search(r"\*\.memory: .* add up to ", outcome.text), outcome.text
    assert "prometheus.scrape_interval?" in outcome.text, outcome.text
    assert made.leftovers() == []
    assert outcome.seconds < 30
