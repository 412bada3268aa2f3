"""The node exporter, the host's metrics, compiled from its Go module."""

import shutil
from pathlib import Path

from configs.versions import version_of
from images.builder import Image
from toolchain.go import GoBinary

_BINARY = GoBinary(
    name="node_exporter",
    module=Path(__file__).parent / "go",
    package="github.com/prometheus/node_exporter",
    ldflags=f"-X github.com/prometheus/common/version.Version={version_of('node-exporter', 'packages')}",
)


def _stage(context: Path) -> None:
    shutil.copy(_BINARY.build(), context)


IMAGE = Image(name="node-exporter", stage=_stage)
