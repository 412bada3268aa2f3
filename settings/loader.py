"""Reads a stack's configuration into ``Settings``, or refuses it with everything that is wrong with it.

The Pulumi CLI checks neither misspelt keys nor values against each other, and stops at the first wrong type.
So ``Pulumi.yaml`` declares keys loosely, and this module judges them, together with what the engine says
(``preflight.py``), before the first resource is registered.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import pulumi
from pydantic import ValidationError

import preflight
from configs.versions import lacks, row_of
from engine import EngineAddress
from settings.contradictions import contradictions
from settings.model import Settings, declared, kind_of, sections
from settings.report import Problem, SettingsError, shown, suggestion
from units import pattern

_KEYS = dict(declared())
_SECRETS = "secrets."
_STACK = pattern(
    "stack", r"[a-z][a-z0-9]{0,30}", "1 to 31 lower-case letters and digits, beginning with a letter"
)


@dataclass(frozen=True)
class Reading:
    """Settings with the default in place of each ``broken`` key, and what is wrong."""

    settings: Settings
    problems: tuple[Problem, ...]
    broken: frozenset[str]


@dataclass(frozen=True)
class _Given:
    """One value: its dotted key, its text, whether it is encrypted, whether it is a member of an object."""

    key: str
    text: str
    secret: bool
    nested: bool = False

    def __str__(self) -> str:
        return "the value given" if self.secret or self.key.startswith(_SECRETS) else shown(self.text)


def from_pulumi() -> Settings:
    """The settings of the stack that the program runs for, checked against its engine too.

    Raises:
        pulumi.RunError: the report; the CLI shows it without a traceback.
    """
    raw = pulumi.runtime.config.CONFIG.get() or pulumi.runtime.get_config_env()
    stack = pulumi.get_stack()
    reading = read(
        raw,
        project=pulumi.get_project(),
        stack=stack,
        is_secret=pulumi.runtime.is_config_secret,
        absent=_absent_services(),
    )
    engine = EngineAddress.from_config(pulumi.Config("docker"))
    found = preflight.check(reading.settings, lambda: preflight.inspect_engine(engine), broken=reading.broken)
    if reading.problems or found:
        raise pulumi.RunError(str(SettingsError([*reading.problems, *found], stack=stack)))
    return reading.settings


def load(
    raw: Mapping[str, str],
    *,
    project: str,
    stack: str,
    is_secret: Callable[[str], bool] = lambda _key: False,
    absent: Mapping[str, Collection[str]] | None = None,
) -> Settings:
    """The settings in ``raw``, the run-time configuration as the CLI hands it over.

    Args:
        raw: ``project:airflow.port`` to its text; keys of other namespaces are left alone.
        project: the namespace of our keys.
        stack: name of the stack, checked too.
        is_secret: says of a key of ``raw`` whether its value was encrypted.
        absent: the services that each image set lacks.

    Raises:
        SettingsError: with all problems, not only the first.
    """
    reading = read(raw, project=project, stack=stack, is_secret=is_secret, absent=absent)
    if reading.problems:
        raise SettingsError(reading.problems, stack=stack)
    return reading.settings


def read(
    raw: Mapping[str, str],
    *,
    project: str,
    stack: str,
    is_secret: Callable[[str], bool] = lambda _key: False,
    absent: Mapping[str, Collection[str]] | None = None,
) -> Reading:
    """Like ``load``, but with the problems beside the settings that would do without them."""
    problems: list[Problem] = []
    given = _chosen(_known(_values(raw, project, is_secret), problems), problems)
    try:
        _STACK.parse(stack)
    except ValueError as error:
        problems.append(Problem("stack", f"the name {shown(stack)} is not accepted: {error}"))
    settings = _validated(given, problems, project=project, stack=stack)
    broken = frozenset(problem.key for problem in problems)
    problems += contradictions(settings, broken, absent or {})
    return Reading(settings, tuple(problems), broken)


def _values(raw: Mapping[str, str], project: str, is_secret: Callable[[str], bool]) -> Iterator[_Given]:
    """Our keys, flattened: ``--path`` makes one object of a section, and so does the CLI of its defaults."""
    for full, text in raw.items():
        namespace, _, key = full.partition(":")
        if namespace != project:
            continue
        members = _object(text) if key in sections() else None
        if members is None:
            yield _Given(key, str(text), is_secret(full))
        else:
            yield from (
                _Given(f"{key}.{k}", _text(v), is_secret(full), nested=True) for k, v in members.items()
            )


def _object(text: str) -> dict[str, object] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def _known(values: Iterator[_Given], problems: list[Problem]) -> Iterator[_Given]:
    """The values of declared keys; the others are reported, never with their value, which may be a secret.

    A member of an object cannot be a secret: whether it is encrypted is known of the object as a whole only.
    """
    for value in values:
        if value.key in _KEYS and value.nested and value.key.startswith(_SECRETS):
            remedy = f"pulumi config rm --path {value.key}; pulumi config set --secret {value.key}"
            problems.append(Problem(value.key, f"is set with --path, which secrets cannot be; do `{remedy}`"))
        elif value.key in _KEYS:
            yield value
        elif value.key in sections():
            example = next(iter(sections()[value.key].model_fields))
            problems.append(Problem(value.key, f"is a group; set its members, such as {value.key}.{example}"))
        else:
            problems.append(Problem(value.key, f"there is no such setting{suggestion(value.key, _KEYS)}"))


def _chosen(values: Iterator[_Given], problems: list[Problem]) -> dict[str, _Given]:
    """One value for each key.

    A flat and a nested one may stand side by side, since the CLI adds each default of ``Pulumi.yaml`` in its
    nested form even where a flat value is set: then the default gives way.
    """
    chosen: dict[str, _Given] = {}
    contested = set()
    for value in sorted(values, key=lambda value: value.nested):
        flat = chosen.setdefault(value.key, value)
        if value.text not in (flat.text, _default_text(value.key)):
            contested.add(value.key)
            problems.append(Problem(value.key, f"is set twice, to {flat} and to {value}: remove one of them"))
    return {key: value for key, value in chosen.items() if key not in contested}


def _default_text(key: str) -> str | None:
    default = _KEYS[key].default
    return None if default is None else kind_of(_KEYS[key]).text(default)


def _validated(given: Mapping[str, _Given], problems: list[Problem], *, project: str, stack: str) -> Settings:
    """The model of the values; those that it refuses are reported and left at their defaults."""
    for value in given.values():
        if value.key.startswith(_SECRETS) and not value.secret:
            command = f"pulumi config set --secret {value.key}"
            problems.append(Problem(value.key, f"is not encrypted; set it with `{command}`"))
    usable = dict(given)
    try:
        return _modelled(usable, project, stack)
    except ValidationError as refused:
        for error in refused.errors(include_url=False, include_input=False):
            key = ".".join(map(str, error["loc"]))
            value = usable.pop(key)
            problems.append(Problem(key, f"{value} is not accepted: {kind_of(_KEYS[key]).accepts}"))
    return _modelled(usable, project, stack)


def _modelled(values: Mapping[str, _Given], project: str, stack: str) -> Settings:
    tree: dict[str, object] = {"project": project, "stack": stack}
    groups: dict[str, dict[str, str]] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        if section:
            groups.setdefault(section, {})[name] = value.text
        else:
            tree[name] = value.text
    return Settings.model_validate(tree | groups)


def services_of(settings: Settings) -> tuple[str, ...]:
    """The sections of the services that run."""
    return tuple(name for name in sections() if name != "secrets" and settings.enabled(name))


def optional_services() -> tuple[str, ...]:
    """The services that users may do without: each section with an ``enabled`` of its own."""
    return tuple(name for name, section in sections().items() if "enabled" in section.model_fields)


def _absent_services() -> dict[str, list[str]]:
    return {
        image_set: [service for service in optional_services() if lacks(row_of(service), image_set)]
        for image_set in ("official", "packages")
    }
