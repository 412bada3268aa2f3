"""All images of the set: the ``IMAGE`` of each ``images/<name>/recipe.py``, base images first."""

from importlib import import_module
from pathlib import Path

from images.builder import Image


def _collect() -> tuple[Image, ...]:
    directories = sorted(path.parent.name for path in Path(__file__).parent.glob("*/recipe.py"))
    found: list[Image] = [import_module(f"images.{name}.recipe").IMAGE for name in directories]
    return tuple(sorted(found, key=lambda image: (image.base is not None, image.name)))


IMAGES = _collect()
