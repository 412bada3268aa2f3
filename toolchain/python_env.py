"""The Python environment of the program, the image builder and the tests."""

import sys
from importlib.util import find_spec
from pathlib import Path

from toolchain import apt
from toolchain.artifact import cached
from toolchain.console import BootstrapError, run_logged, say
from toolchain.paths import REPOSITORY

_VENV_PACKAGE = "python3-venv"
_LOCKS = (REPOSITORY / "requirements.txt", REPOSITORY / "requirements-dev.txt")


def ensure_python() -> Path:
    """Return the ``bin`` directory of a virtual environment that holds exactly the locked packages.

    Raises:
        BootstrapError: the packages could not be installed.
    """
    return cached("python", [*_LOCKS, sys.version, sys.base_prefix], _install) / "bin"


def _install(target: Path) -> None:
    create = [sys.executable, "-m", "venv", "--clear", target]
    try:
        run_logged("create Python environment", create)
    except BootstrapError as failure:
        if find_spec("ensurepip") is not None:
            raise
        if not apt.can_install():
            message = f"{failure}\nOn Debian and Ubuntu install the package {_VENV_PACKAGE} and start again."
            raise BootstrapError(message) from failure
        say(f"installing the package {_VENV_PACKAGE}, which Debian's Python lacks")
        apt.install([_VENV_PACKAGE])
        run_logged("create Python environment", create)
    install = [target / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes"]
    locks = [word for lock in _LOCKS for word in ("-r", lock)]
    run_logged("install Python packages", [*install, *locks], cwd=REPOSITORY)
