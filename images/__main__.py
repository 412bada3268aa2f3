"""``python -m images [name ...]``: build the images that are missing or stale."""

import sys

from images.builder import ensure_images
from toolchain.console import BootstrapError

if __name__ == "__main__":
    try:
        ensure_images(sys.argv[1:] or None)
    except BootstrapError as failure:
        sys.exit(f"error: {failure}")
