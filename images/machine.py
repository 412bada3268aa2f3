"""Build tools that the machine may lack and its package manager has."""

import shutil

from toolchain import apt
from toolchain.console import BootstrapError


def need(command: str, *packages: str) -> None:
    """Install ``packages`` with apt where ``command`` is not on PATH, saying so.

    Raises:
        BootstrapError: it is not there and cannot be installed (no apt, or not root).
    """
    if shutil.which(command):
        return
    if not apt.can_install():
        message = f"building the images takes {command}: install {' '.join(packages)} and start again"
        raise BootstrapError(message)
    apt.install(packages, ["--no-install-recommends"])
