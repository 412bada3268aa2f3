"""The Elasticsearch exporter, compiled from its Go module."""

import shutil
from pathlib import Path

from configs.versions import version_of
from images.builder import Image
from toolchain.go import GoBinary

_VERSION = version_of("elasticsearch-exporter", "packages")
_BINARY = GoBinary(
    name="elasticsearch_exporter",
    module=Path(__file__).parent / "go",
    package="github.com/prometheus-community/elasticsearch_exporter",
    ldflags=f"-X github.com/prometheus/common/version.Version={_VERSION}",
)


def _stage(context: Path) -> None:
    shutil.copy(_BINARY.build(), context)


IMAGE = Image(name="elasticsearch-exporter", stage=_stage)
