"""The Python environment of the program, the image builder and the tests."""

import sys
from pathlib import Path

from toolchain.artifact import cached
from toolchain.console import BootstrapError, run_logged
from toolchain.paths import REPOSITORY

_MINIMUM = (3, 11)
_LOCKS = (REPOSITORY / "requirements.txt", REPOSITORY / "requirements-dev.txt")


def ensure_python() -> Path:
    """Return the ``bin`` directory of a virtual environment that holds exactly the locked packages.

    Raises:
        BootstrapError: this Python is too old, or the packages could not be installed.
    """
    if sys.version_info < _MINIMUM:
        wanted = ".".join(map(str, _MINIMUM))
        message = (
            f"Python {wanted} or newer is needed, this is {sys.version.split()[0]} ({sys.executable}); "
            "name another one with make PYTHON=…"
        )
        raise BootstrapError(message)
    return cached("python", [*_LOCKS, sys.version, sys.base_prefix], _install) / "bin"


def _install(target: Path) -> None:
    try:
        run_logged("create Python environment", [sys.executable, "-m", "venv", target])
    except BootstrapError as failure:
        message = f"{failure}\nOn Debian and Ubuntu the package python3-venv may be missing."
        raise BootstrapError(message) from failure
    install = [target / "bin" / "python", "-m", "pip", "install", "--quiet", "--require-hashes"]
    locks = [word for lock in _LOCKS for word in ("-r", lock)]
    run_logged("install Python packages", [*install, *locks], cwd=REPOSITORY)
