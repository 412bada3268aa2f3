"""Writes what users read about settings from the model: ``Pulumi.yaml`` and ``docs/settings.md``.

Run ``python -m docs.settings_reference`` in the project's directory after a change of ``settings/model.py``;
a test fails until that is done.
"""

from pathlib import Path

import yaml

from settings.model import declared, kind_of, sections
from units import Kind

PROJECT = Path(__file__).resolve().parent.parent
_SECRETS = "secrets"
_GENERATED = ("password", "Fernet key")
_WIDTH = 110

_PULUMI_YAML_HEADER = """\
# Generated from settings/model.py by `python -m docs.settings_reference`.
# `type: string` takes every value written in one line, so that the CLI does not stop at the first wrong one;
# each description begins with the real type, and the program reports all that is wrong at once.
# Secrets (docs/settings.md) are not declared here, since a declared key without a default must be given.
"""

_SETTINGS_MD_HEADER = """\
# Settings

Generated from `settings/model.py` by `python -m docs.settings_reference`.

A setting belongs to a stack: `pulumi config set airflow.parallelism 8` writes it to `Pulumi.<stack>.yaml`,
and `pulumi config rm airflow.parallelism` goes back to the default. `--path` works as well, but for secrets.

Every mistake is reported at once, before anything is touched: unknown keys with the nearest known one, values
that are not accepted with what is, values that contradict each other, memory that the engine does not have,
ports that something else holds. Settings of a service that is switched off are checked but have no effect.

Which engine is used is the Docker provider's own setting: `pulumi config set docker:host ssh://user@server`;
without it, `DOCKER_HOST` or the local socket.

Sizes are whole numbers with the unit `MiB` or `GiB`; durations are whole numbers with `s`, `m`, `h` or `d`.
"""

_SECRETS_INTRODUCTION = """\
Set one with `pulumi config set --secret secrets.postgres_password`; a value that is not encrypted is refused,
and no value is ever shown. An existing stack keeps the secrets that it has generated until one is set.
Receivers of alerts have no default: nobody is told until one is set.
"""


def pulumi_yaml() -> str:
    """The text of ``Pulumi.yaml``: the project, and each setting with its default and description."""
    config = {
        key: {"type": "string", "description": _described(key), "default": _default(key)}
        for key, _ in declared()
        if not key.startswith(f"{_SECRETS}.")
    }
    project = {
        "name": "mlops-observability",
        "description": "Observability platform for Airflow ML pipelines, as Docker containers",
        "runtime": "python",
        "config": config,
    }
    return _PULUMI_YAML_HEADER + yaml.safe_dump(project, sort_keys=False, width=_WIDTH, allow_unicode=True)


def settings_md() -> str:
    """The text of ``docs/settings.md``: one table for each section."""
    stack_wide = [key for key, _ in declared() if "." not in key]
    parts = [_SETTINGS_MD_HEADER, "## Stack-wide\n", _table(stack_wide)]
    for name, section in sections().items():
        introduction = _SECRETS_INTRODUCTION if name == _SECRETS else ""
        purpose = f"{(section.__doc__ or '').strip()}\n"
        keys = [key for key, _ in declared() if key.startswith(f"{name}.")]
        parts += [f"## {name}\n", purpose, *filter(None, [introduction]), _table(keys)]
    return "\n".join(parts)


def _table(keys: list[str]) -> str:
    rows = ["| setting | default | accepts | meaning |", "|---|---|---|---|"]
    for key in keys:
        default = f"`{_default(key)}`" if _default(key) else "empty"
        shown = "generated" if _kind(key).name in _GENERATED else default
        rows.append(f"| `{key}` | {shown} | {_kind(key).accepts} | {_description(key)} |")
    return "\n".join(rows) + "\n"


def _kind(key: str) -> Kind:
    return kind_of(dict(declared())[key])


def _default(key: str) -> str:
    default = dict(declared())[key].default
    return "" if default is None else _kind(key).text(default)


def _description(key: str) -> str:
    return " ".join((dict(declared())[key].description or "").split())


def _described(key: str) -> str:
    kind = _kind(key)
    return f"({kind.name}) {_description(key)} Accepts {kind.accepts}."


def files() -> dict[Path, str]:
    """Each generated file with its text."""
    return {PROJECT / "Pulumi.yaml": pulumi_yaml(), PROJECT / "docs" / "settings.md": settings_md()}


if __name__ == "__main__":
    for file, text in files().items():
        file.write_text(text)
