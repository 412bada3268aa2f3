"""Grafana's server, compiled from its Go module.

The newest version that the module proxy serves under a release line; its web front end, made with other
tools, is not part of it, so pages are blank while the API, provisioning and alerting are complete.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from configs.versions import version_of
from images.builder import Image
from images.machine import need
from toolchain.artifact import cached
from toolchain.console import BootstrapError, run_logged
from toolchain.go import GoBinary, go_build, go_command
from toolchain.paths import cache_home

_MODULES = Path(__file__).parent / "go"
_SOURCE = "github.com/grafana/grafana@v1.9.2-0.20230609164553-81d85ce8028d"
# SQLite is C: it is linked statically, so that the image's C library may be older than the machine's.
_TAGS = "oss,netgo,osusergo,sqlite_omit_load_extension,timetzdata"
_FLAGS = f"-s -w -X main.version={version_of('grafana', 'packages')} -linkmode external -extldflags -static"
_WIRE = GoBinary(name="wire", module=_MODULES / "wire", package="github.com/google/wire/cmd/wire")
# What the server reads at run time, besides the plugins' manifests.
_TREES = ("conf", "public/views", "public/emails", "public/dashboards")
_PICTURE = "public/img/user_profile.png"
_INPUTS = (_MODULES, _SOURCE, _TAGS, _FLAGS, *_TREES, _PICTURE)


def _stage(context: Path) -> None:
    shutil.copytree(cached("grafana", _INPUTS, _compile), context / "grafana")


def _compile(target: Path) -> None:
    need("gcc", "gcc", "libc6-dev")
    wire = _WIRE.build()
    with tempfile.TemporaryDirectory(prefix="grafana-", dir=cache_home()) as directory:
        # The generated file belongs into the source, and the module cache is read-only.
        source = Path(shutil.copytree(_module(), Path(directory) / "source", copy_function=_copy_writable))
        for folder in (source, *(path for path in source.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
        path = os.pathsep.join((str(go_command().parent), os.environ["PATH"]))
        generate: list[str | Path] = [wire, "gen", "-tags", "oss", "./pkg/server"]
        run_logged("generate Grafana's wiring", generate, cwd=source, env=os.environ | {"PATH": path})
        arguments = [f"-tags={_TAGS}", f"-ldflags={_FLAGS}", "-o", str(target / "bin/grafana")]
        go_build("grafana", [*arguments, "./pkg/cmd/grafana"], cwd=source, cgo=True)
        for tree in _TREES:
            shutil.copytree(source / tree, target / tree)
        for file in (source / _PICTURE, *(source / "public/app/plugins").rglob("plugin.json")):
            copy = target / file.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)


def _module() -> Path:
    """Download the module, checked against the committed go.sum, and return its read-only directory."""
    answer = subprocess.run(
        [go_command(), "mod", "download", "-json", _SOURCE],
        cwd=_MODULES / "source",
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode:
        message = f"cannot download Grafana's source: {answer.stdout}{answer.stderr}"
        raise BootstrapError(message)
    return Path(json.loads(answer.stdout)["Dir"])


def _copy_writable(source: str, target: str) -> str:
    shutil.copyfile(source, target)
    return target


IMAGE = Image(name="grafana", stage=_stage)
