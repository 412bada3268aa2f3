"""The Pulumi CLI with its Python host and provider plugins, compiled from Go modules.

For machines that reach a Go module proxy but not Pulumi's own downloads. The result is laid out as a
``PULUMI_HOME``: ``bin/`` for PATH and ``plugins/`` where the CLI looks for them.
"""

import shutil
import subprocess
from pathlib import Path

from toolchain.artifact import cached, find
from toolchain.console import say
from toolchain.go import GoBinary, go_command
from toolchain.paths import REPOSITORY

CLI_VERSION = "3.255.0"
PROVIDERS = {"docker": "5.2.0", "random": "4.21.4"}

_MODULES = REPOSITORY / "toolchain" / "go"
_SDK = "github.com/pulumi/pulumi/sdk/v3"
# Scripts of the SDK that the Python host starts: the program's and the dynamic providers' entry points.
_SCRIPTS = ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python")


def build_home() -> Path:
    """Return a directory with ``bin/`` and ``plugins/``, compiled (15 minutes) when its sources are new."""
    return cached("pulumi", _inputs(), _assemble)


def built_home() -> Path | None:
    """Return what :func:`build_home` returns if it is there already, without building it."""
    return find("pulumi", _inputs())


def provider_binary(name: str) -> Path:
    """Return the compiled resource plugin of one of PROVIDERS."""
    return _provider(name).build()


def _inputs() -> tuple[Path, ...]:
    return (_MODULES, Path(__file__))


def _cli() -> GoBinary:
    return GoBinary(
        name="pulumi",
        module=_MODULES / "pulumi",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        ldflags=f"-X {_SDK}/go/common/version.Version=v{CLI_VERSION}",
    )


def _language_host() -> GoBinary:
    return GoBinary(
        name="pulumi-language-python",
        module=_MODULES / "language-python",
        package=f"{_SDK}/python/cmd/pulumi-language-python",
    )


def _provider(name: str) -> GoBinary:
    return GoBinary(
        name=f"pulumi-resource-{name}",
        module=_MODULES / "providers",
        package=f"./{name}",
        ldflags=f"-X main.version={PROVIDERS[name]}",
    )


def _assemble(home: Path) -> None:
    say("the Pulumi CLI cannot be downloaded here: building it from Go modules, about 15 minutes, once")
    programs = home / "bin"
    programs.mkdir()
    for binary in (_cli(), _language_host()):
        _place(binary.build(), programs / binary.name)
    for script in _SCRIPTS:
        _place(_sdk_directory() / "python" / script, programs / Path(script).name)
    for name, version in PROVIDERS.items():
        plugin = home / "plugins" / f"resource-{name}-v{version}"
        plugin.mkdir(parents=True)
        _place(provider_binary(name), plugin / f"pulumi-resource-{name}")


def _place(source: Path, target: Path) -> None:
    shutil.copyfile(source, target)
    target.chmod(0o755)


def _sdk_directory() -> Path:
    listing = subprocess.run(
        [go_command(), "list", "-m", "-f", "{{.Dir}}", _SDK],
        cwd=_MODULES / "pulumi",
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(listing.stdout.strip())
