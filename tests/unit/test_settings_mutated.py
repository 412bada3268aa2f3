"""Decides that no configuration, however odd, ends in anything but settings or a readable report."""

import json
import random
import string

import pytest
from stack_config import PROJECT

from settings import SettingsError, load, read
from settings.model import declared

KEYS = dict(declared())


def mutated(source: random.Random) -> dict[str, str]:
    """A configuration with some plausible, some wrong and some absurd values."""
    plausible = [
        "8080",
        "9090",
        "true",
        "false",
        "512MiB",
        "2GiB",
        "30s",
        "15d",
        "admin",
        "packages",
        "0",
        "",
    ]
    values: dict[str, str] = {}
    for _ in range(source.randint(1, 12)):
        key = source.choice(list(KEYS))
        if source.random() < 0.2:
            place = source.randrange(len(key))
            key = key[:place] + source.choice(string.printable) + key[place + source.randint(0, 2) :]
        noise = "".join(source.choices(string.printable + "äΩ漢\0", k=source.randint(0, 40)))
        values[key] = source.choice([*plausible, noise, json.dumps([noise]), json.dumps({noise: 1})])
    if source.random() < 0.3:
        group = source.choice(["airflow", "kibana", "secrets", "elasticsearch"])
        members = [key.partition(".")[2] for key in KEYS if key.startswith(f"{group}.")]
        leaf = source.choice([None, 1, 1.5, True, "1GiB", [], {"x": {}}])
        values[group] = json.dumps({source.choice([*members, "nonsense"]): leaf})
    return values


@pytest.mark.parametrize("seed", range(500))
def test_mutated_configurations_are_taken_or_cleanly_refused(seed):
    source = random.Random(seed)
    values = mutated(source)
    secret = [key for key in values if source.random() < 0.5]
    stack = source.choice(["dev", "prod", "Dev", "e2e1"])
    reading = read(
        {f"{PROJECT}:{key}": text for key, text in values.items()},
        project=PROJECT,
        stack=stack,
        is_secret={f"{PROJECT}:{key}" for key in secret}.__contains__,
    )
    report = str(SettingsError(reading.problems, stack=stack))
    assert report.count("\n") == len(set(reading.problems))
    assert all(len(line) < 400 for line in report.splitlines())
    assert not any(len(values[key]) >= 12 and values[key] in report for key in secret)
    if not reading.problems:
        ports = reading.settings.ports().values()
        assert len(set(ports)) == len(ports)
        assert reading.settings.elasticsearch.heap * 2 <= reading.settings.elasticsearch.memory
    assert load({}, project=PROJECT, stack="dev").airflow.port == 8080, "reading leaves no trace"


def test_mutations_reach_both_outcomes():
    """Guards the test above against a generator whose every configuration is refused."""
    outcomes = set()
    for seed in range(500):
        values = mutated(random.Random(seed))
        raw = {f"{PROJECT}:{key}": text for key, text in values.items()}
        outcomes.add(bool(read(raw, project=PROJECT, stack="dev").problems))
    assert outcomes == {True, False}
