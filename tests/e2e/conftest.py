"""Fixtures of the end-to-end tests: the image set in use."""

import os
import subprocess

import pytest

from configs.versions import image_for


@pytest.fixture(scope="session")
def image_set() -> str:
    """The set whose images this machine holds, ``official`` first; the bootstrap has fetched or built one."""
    named = os.environ.get("MLOPS_IMAGE_SET")
    for candidate in [named] if named else ["official", "packages"]:
        image = image_for("statsd-exporter", candidate)
        found = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
        if found.returncode == 0:
            return candidate
    raise AssertionError("no image set is on this machine; run `make images` first")
