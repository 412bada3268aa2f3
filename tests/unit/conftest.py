"""Runs the whole program under Pulumi's mocks, without an engine and without a CLI."""

import runpy
from collections.abc import Callable, Iterator, Mapping

import pulumi
import pytest
from recorder import Recorder
from stack_files import PROJECT, REPOSITORY, committed_config

import preflight
from components import platform
from components.engine import Surroundings

_SURROUNDINGS = Surroundings(time="2026-01-01T00:00:00+00:00", data_directory="/var/lib/docker")


def stack_config(stack: str, changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """The committed stack file's config as the CLI hands it over, with ``changes`` to our own keys."""
    return committed_config(stack) | {f"{PROJECT}:{key}": value for key, value in (changes or {}).items()}


@pytest.fixture(scope="session")
def run_program() -> Iterator[Callable[..., Recorder]]:
    """Run ``__main__.py`` for a committed stack, with an engine of 64 GiB that has every port free."""
    roomy = preflight.EngineFacts(
        name="mock", api_version="1.47", memory_total=64 * 2**30, is_local=False, published=()
    )

    def run(stack: str, changes: Mapping[str, str] | None = None) -> Recorder:
        recorder = Recorder()
        pulumi.runtime.set_mocks(recorder, project=PROJECT, stack=stack, preview=False)
        pulumi.runtime.set_all_config(stack_config(stack, changes))
        program = pulumi.runtime.test(lambda: runpy.run_path(str(REPOSITORY / "__main__.py")) and None)
        program()
        return recorder

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(preflight, "inspect_engine", lambda _address: roomy)
        patched.setattr(platform, "surroundings", lambda _address: _SURROUNDINGS)
        patched.chdir(REPOSITORY)
        yield run
