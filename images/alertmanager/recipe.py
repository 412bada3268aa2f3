"""Alertmanager and amtool, compiled from their Go module; its web pages are part of it."""

import shutil
from pathlib import Path

from configs.versions import version_of
from images.builder import Image
from toolchain.go import GoBinary

_VERSION = version_of("alertmanager", "packages")
_BINARIES = tuple(
    GoBinary(
        name=name,
        module=Path(__file__).parent / "go",
        package=f"github.com/prometheus/alertmanager/cmd/{name}",
        ldflags=f"-X github.com/prometheus/common/version.Version={_VERSION}",
    )
    for name in ("alertmanager", "amtool")
)


def _stage(context: Path) -> None:
    for binary in _BINARIES:
        shutil.copy(binary.build(), context)


IMAGE = Image(name="alertmanager", stage=_stage)
