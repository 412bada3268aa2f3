"""What every kind of test shares: the image set in use."""

import os
import subprocess

import pytest

from configs.versions import ImageSet, image_for, versions


@pytest.fixture(scope="session")
def image_set() -> ImageSet:
    """The set that ``MLOPS_IMAGE_SET`` names, else the first that this machine holds whole."""
    named = os.environ.get("MLOPS_IMAGE_SET")
    candidates: list[ImageSet] = ["official", "packages"]
    for candidate in candidates:
        if named in (None, "", candidate) and _is_whole(candidate):
            return candidate
    raise AssertionError(f"images of {named or 'every image set'} are missing here; run `make images` first")


def _is_whole(image_set: ImageSet) -> bool:
    images = [image_for(service, image_set) for service in versions(image_set)]
    found = subprocess.run(["docker", "image", "inspect", *images], capture_output=True, check=False)
    return found.returncode == 0
