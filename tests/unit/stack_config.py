"""Loads a configuration as a stack of the project would, for the tests of settings."""

import pytest

from settings import Settings, SettingsError, load

PROJECT = "mlops-observability"
LACKING = {"official": (), "packages": ("kibana",)}


def settings_of(values=None, *, stack="dev", secret=(), other=None) -> Settings:
    raw = {f"{PROJECT}:{key}": text for key, text in (values or {}).items()} | (other or {})
    encrypted = {f"{PROJECT}:{key}" for key in secret}
    return load(raw, project=PROJECT, stack=stack, is_secret=encrypted.__contains__, absent=LACKING)


def problems_of(values=None, **options) -> dict[str, str]:
    with pytest.raises(SettingsError) as refused:
        settings_of(values, **options)
    assert str(refused.value).count("\n") == len(refused.value.problems), "one line for each problem"
    return {problem.key: problem.message for problem in refused.value.problems}
