"""Build tools that the machine may lack and its package manager has."""

import os
import shutil

from toolchain.console import BootstrapError, run_logged


def need(command: str, *packages: str) -> None:
    """Install ``packages`` with apt where ``command`` is not on PATH, saying so.

    Raises:
        BootstrapError: it is not there and cannot be installed (no apt, or not root).
    """
    if shutil.which(command):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        message = f"building the images takes {command}: install {' '.join(packages)} and start again"
        raise BootstrapError(message)
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    run_logged(f"update package lists for {command}", ["apt-get", "update"], env=quiet)
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    run_logged(f"install {' '.join(packages)} with apt", install, env=quiet)
