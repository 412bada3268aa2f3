"""The Pulumi CLI: the one on PATH, else Pulumi's own download, else one compiled here.

Pulumi's CLI fetches the provider plugins by itself where it can; elsewhere they are compiled as well.
"""

import hashlib
import http.client
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from toolchain.artifact import cached, find
from toolchain.console import BootstrapError, run_logged, say
from toolchain.paths import cache_home
from toolchain.pulumi_build import CLI_VERSION, PROVIDERS, build_home, built_home, provider_binary

_MINIMUM = (3, 230)
_RELEASES = "https://get.pulumi.com/releases/sdk"
_PROBE_SECONDS = 5
_READ_SECONDS = 60
# A proxy or gateway may also cut a connection or answer with what is no HTTP.
_UNREACHABLE = (OSError, http.client.HTTPException)
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, kw_only=True)
class PulumiCli:
    """A CLI that has its Python host and its providers.

    Attributes:
        bin: directory of the ``pulumi`` command.
        environment: what must be set for it, besides PATH.
        origin: where it came from, for ``make doctor``.
    """

    bin: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    origin: str


def ensure_pulumi() -> PulumiCli:
    """Return a usable CLI, fetching or building what is missing.

    Raises:
        BootstrapError: nothing usable is there and neither the download nor the build succeeded.
    """
    on_path = _on_path()
    if on_path:
        return _with_plugins(on_path, "on PATH")
    release = f"pulumi-v{CLI_VERSION}-{sys.platform}-{_MACHINES.get(platform.machine().lower(), 'unknown')}"
    downloaded = find("pulumi-release", [release])
    if downloaded is None and built_home() is None and _downloadable(release):
        try:
            downloaded = cached("pulumi-release", [release], lambda target: _download(release, target))
        except BootstrapError as failure:
            say(f"{failure}; building the CLI from Go modules instead")
    if downloaded is not None:
        return _with_plugins(downloaded / "bin", "Pulumi's download")
    home = build_home()
    settings = {"PULUMI_HOME": str(home), "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    return PulumiCli(bin=home / "bin", environment=settings | _QUIET, origin="built from Go modules")


_QUIET = {"PULUMI_SKIP_UPDATE_CHECK": "true"}


def _on_path() -> Path | None:
    command = shutil.which("pulumi")
    if command is None or Path(command).resolve().is_relative_to(cache_home().resolve()):
        return None
    answer = subprocess.run([command, "version"], capture_output=True, text=True, check=False)
    numbers = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    if numbers and tuple(map(int, numbers.groups())) >= _MINIMUM:
        return Path(command).parent
    wanted = ".".join(map(str, _MINIMUM))
    say(f"using another pulumi than {command} ({answer.stdout.strip()}): {wanted} or newer is needed")
    return None


def _with_plugins(directory: Path, origin: str) -> PulumiCli:
    """Give a CLI of Pulumi's own the providers, from Pulumi if it can be reached, else compiled here.

    What is compiled here goes into a home of the bootstrap's own: in the user's, it would pass for Pulumi's.
    """
    command = directory / "pulumi"
    users = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    ours = cache_home() / "pulumi-home"
    if not _lacking(users):
        return PulumiCli(bin=directory, environment=_QUIET, origin=origin)
    own = {"PULUMI_HOME": str(ours), **_QUIET}
    if not _lacking(ours):
        return PulumiCli(bin=directory, environment=own, origin=origin)
    try:
        for name in _lacking(users):
            _install(command, name, _QUIET, timeout=300)
    except BootstrapError:
        say("Pulumi's providers cannot be downloaded here: building them from Go modules")
        for name in _lacking(ours):
            _install(command, name, own, "--file", provider_binary(name))
        return PulumiCli(bin=directory, environment=own, origin=origin)
    return PulumiCli(bin=directory, environment=_QUIET, origin=origin)


def _lacking(home: Path) -> list[str]:
    """The providers that a PULUMI_HOME has not got in the version wanted here."""
    plugins = home / "plugins"
    return [
        name for name, version in PROVIDERS.items() if not (plugins / f"resource-{name}-v{version}").is_dir()
    ]


def _install(
    command: Path, name: str, settings: Mapping[str, str], *options: str | Path, timeout: float = 3600
) -> None:
    install = [command, "plugin", "install", "resource", name, PROVIDERS[name], *options]
    title = f"install Pulumi provider {name} {PROVIDERS[name]}"
    run_logged(title, install, env=os.environ | settings, timeout=timeout)


def _downloadable(release: str) -> bool:
    request = urllib.request.Request(f"{_RELEASES}/{release}.tar.gz", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_PROBE_SECONDS):
            return True
    except _UNREACHABLE as failure:
        say(f"Pulumi's download cannot be reached ({getattr(failure, 'reason', failure)})")
        return False


def _download(release: str, target: Path) -> None:
    """Fetch and unpack the release into ``target/bin`` after comparing it with the published checksum."""
    say(f"downloading {release}")
    archive = target / "pulumi.tar.gz"
    try:
        sums = f"{_RELEASES}/pulumi-{CLI_VERSION}-checksums.txt"
        with urllib.request.urlopen(sums, timeout=_READ_SECONDS) as response:
            published = response.read().decode(errors="replace")
        source = f"{_RELEASES}/{release}.tar.gz"
        with urllib.request.urlopen(source, timeout=_READ_SECONDS) as response, archive.open("wb") as sink:
            shutil.copyfileobj(response, sink)
    except _UNREACHABLE as failure:
        message = f"the download of {release} failed: {failure}"
        raise BootstrapError(message) from failure
    expected = re.search(rf"^([0-9a-f]{{64}})\s+\*?{re.escape(release)}\.tar\.gz$", published, re.MULTILINE)
    with archive.open("rb") as content:
        actual = hashlib.file_digest(content, "sha256").hexdigest()
    if expected is None or expected[1] != actual:
        message = (
            f"{release} has the checksum {actual}, which is not the published one; nothing was installed"
        )
        raise BootstrapError(message)
    run_logged("unpack Pulumi", ["tar", "-xzf", archive, "-C", target])
    (target / "pulumi").rename(target / "bin")
    archive.unlink()
