"""Decides that the committed files say what the model says, and that each stack file is accepted.

It cannot decide that the values of a stack file suit the machine they are meant for.
"""

import re
from pathlib import Path

import pytest
import yaml
from stack_files import committed_config

from docs.settings_reference import files
from settings import load
from settings.model import declared

ROOT = Path(__file__).resolve().parents[2]
PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())
COMMITTED = ("dev", "prod")


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_generated_file_is_up_to_date(path):
    assert path.read_text() == files()[path], "run `python -m docs.settings_reference`"


def test_project_declares_every_setting_but_secrets():
    assert list(PROJECT["config"]) == [key for key, _ in declared() if not key.startswith("secrets.")]


def test_every_declaration_has_a_default_and_a_description_of_some_length():
    for key, declaration in PROJECT["config"].items():
        assert declaration.keys() == {"type", "default", "description"}, key
        assert isinstance(declaration["default"], str), key
        assert re.match(r"\(.+\) .{10}.* Accepts .+\.", declaration["description"]), key


def test_declared_defaults_are_accepted_as_they_stand():
    raw = {f"{PROJECT['name']}:{key}": each["default"] for key, each in PROJECT["config"].items()}
    assert load(raw, project=PROJECT["name"], stack="dev") == load({}, project=PROJECT["name"], stack="dev")


@pytest.mark.parametrize("stack", COMMITTED)
def test_stack_file_is_accepted(stack):
    assert load(committed_config(stack), project=PROJECT["name"], stack=stack)


def test_production_keeps_its_data():
    settings = load(committed_config("prod"), project=PROJECT["name"], stack="prod")
    assert settings.protect_data
    assert settings.airflow.dags_paused_at_creation
