"""Packages of a Debian or Ubuntu machine, installed by root, one installation at a time."""

import fcntl
import os
import shutil
from collections.abc import Sequence

from toolchain.console import run_logged
from toolchain.paths import cache_home

# Somebody else's apt, such as the unattended upgrades of a machine just started, may hold the lock.
_OPTIONS = ("--yes", "-o", "DPkg::Lock::Timeout=600")


def can_install() -> bool:
    """Whether this process may install packages: root, on a machine that has apt."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def install(packages: Sequence[str], options: Sequence[str] = ()) -> None:
    """Install ``packages`` from refreshed lists.

    Raises:
        BootstrapError: apt failed.
    """
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    names = " ".join(packages)
    cache_home().mkdir(parents=True, exist_ok=True)
    # apt does not wait for the lock of the package lists, which the timeout does not concern.
    with (cache_home() / "apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run_logged(f"update package lists for {names}", ["apt-get", *_OPTIONS, "update"], env=quiet)
        run_logged(
            f"install {names} with apt", ["apt-get", *_OPTIONS, "install", *options, *packages], env=quiet
        )
