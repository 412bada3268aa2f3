"""Prometheus and promtool, compiled from their Go module without the service discoveries of clouds.

The web front end is not part of the module: the API is complete, the pages are not there.
"""

import shutil
from pathlib import Path

from configs.versions import version_of
from images.builder import Image
from toolchain.go import GoBinary

_VERSION = version_of("prometheus", "packages")
_BINARIES = tuple(
    GoBinary(
        name=name,
        module=Path(__file__).parent / "go",
        package=f"github.com/prometheus/prometheus/cmd/{name}",
        tags="remove_all_sd",
        ldflags=f"-X github.com/prometheus/common/version.Version={_VERSION}",
    )
    for name in ("prometheus", "promtool")
)


def _stage(context: Path) -> None:
    for binary in _BINARIES:
        shutil.copy(binary.build(), context)


IMAGE = Image(name="prometheus", stage=_stage)
