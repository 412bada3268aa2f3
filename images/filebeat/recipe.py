"""Filebeat built from its Go module, with the official image's paths."""

import shutil
from pathlib import Path

from images.builder import Image
from toolchain.go import GoBinary

_BINARY = GoBinary(name="filebeat", module=Path(__file__).with_name("go"), package=".")


def _stage(context: Path) -> None:
    shutil.copy2(_BINARY.build(), context / "filebeat")


IMAGE = Image(name="filebeat", stage=_stage)
