"""What a shell must export so that ``pulumi``, ``python`` and ``docker`` are the project's own."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from toolchain.engine import ensure_engine
from toolchain.pulumi_cli import ensure_pulumi
from toolchain.stack import backend_environment


def ensure_environment() -> dict[str, str]:
    """Make sure of the engine and the Pulumi CLI; return the whole environment for their users.

    Raises:
        BootstrapError: one of them could be neither found nor made.
    """
    return os.environ | _additions()


def export_lines() -> str:
    """Return ``export`` lines for a POSIX shell, which set what the user has not set already."""
    additions = _additions()
    search = additions.pop("PATH").removesuffix(os.environ["PATH"])
    lines = [f"export {name}={shlex.quote(value)}" for name, value in additions.items()]
    return "\n".join([f'export PATH={shlex.quote(search)}"$PATH"', *lines])


def _additions() -> dict[str, str]:
    engine = ensure_engine()
    cli = ensure_pulumi()
    python = Path(sys.prefix)
    found: Mapping[str, str] = {**engine, **cli.environment, **backend_environment()}
    search = [str(python / "bin"), str(cli.bin), os.environ["PATH"]]
    return {**found, "PATH": os.pathsep.join(search), "VIRTUAL_ENV": str(python)}
