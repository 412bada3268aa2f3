"""Jaeger, compiled from its Go module, whose version 1.76 is the server's 2.13.

The web front end is not part of the module: the query API is complete, the pages are not there. The checksum
database lacks some of the modules, so making ``go.sum`` anew takes
``GONOSUMDB='go.opentelemetry.io/*,github.com/open-telemetry/*'``.
"""

import shutil
from pathlib import Path

from configs.versions import version_of
from images.builder import Image
from toolchain.go import GoBinary

_BINARY = GoBinary(
    name="jaeger",
    module=Path(__file__).parent / "go",
    package="github.com/jaegertracing/jaeger/cmd/jaeger",
    ldflags="-X github.com/jaegertracing/jaeger/internal/version.latestVersion="
    f"v{version_of('jaeger', 'packages')}",
)


def _stage(context: Path) -> None:
    shutil.copy(_BINARY.build(), context)


IMAGE = Image(name="jaeger", stage=_stage)
