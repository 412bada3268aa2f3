"""The Postgres exporter, compiled from its Go module."""

import shutil
from pathlib import Path

from configs.versions import version_of
from images.builder import Image
from toolchain.go import GoBinary

_BINARY = GoBinary(
    name="postgres_exporter",
    module=Path(__file__).parent / "go",
    package="github.com/prometheus-community/postgres_exporter/cmd/postgres_exporter",
    ldflags=f"-X github.com/prometheus/common/version.Version={version_of('postgres-exporter', 'packages')}",
)


def _stage(context: Path) -> None:
    shutil.copy(_BINARY.build(), context)


IMAGE = Image(name="postgres-exporter", stage=_stage)
