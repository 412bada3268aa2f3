"""The base image: a minimal Debian that trusts what the building machine trusts.

Made with ``debootstrap``, since no image registry may be reachable, which takes root once per machine.
"""

import os
import re
import shutil
import ssl
import tempfile
from pathlib import Path

from images.builder import INPUTS_LABEL, Image
from images.machine import need
from toolchain.console import BootstrapError, run_logged
from toolchain.paths import cache_home

_BUNDLE = "etc/ssl/certs/ca-certificates.crt"
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
# curl and busybox (as wget) are the probes that the official images have.
_PACKAGES = ("ca-certificates", "curl", "busybox")
# Of no use in a container, and a third of the image.
_SURPLUS = ("usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/info", "var/lib/apt/lists")
# Each names the bundle for one family of clients: OpenSSL's own, Python's requests, Python's pip.
_ENVIRONMENT = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")


def _trusted() -> Path | None:
    """The bundle of certificate authorities that this machine's programs trust."""
    candidates = (os.environ.get("SSL_CERT_FILE"), f"/{_BUNDLE}", ssl.get_default_verify_paths().cafile)
    return next((Path(path) for path in candidates if path and Path(path).is_file()), None)


def _make(tag: str, inputs: str) -> None:
    if os.geteuid() != 0:
        message = "the base image is made with debootstrap, which must run as root"
        raise BootstrapError(message)
    need("debootstrap", "debootstrap")
    suite = tag.rpartition(":")[2]
    cache_home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="debian-", dir=cache_home()) as directory:
        root = Path(directory) / "root"
        options = ["--variant=minbase", f"--include={','.join(_PACKAGES)}"]
        run_logged(f"debootstrap {suite}", ["debootstrap", *options, suite, root])
        _trust(root)
        _slim(root)
        (root / "usr/bin/wget").symlink_to("busybox")
        archive = Path(directory) / "root.tar"
        run_logged("pack the base image", ["tar", "--numeric-owner", "-C", root, "-cf", archive, "."])
        changes = [f"LABEL {INPUTS_LABEL}={inputs}", *(f"ENV {name}=/{_BUNDLE}" for name in _ENVIRONMENT)]
        words = (word for change in changes for word in ("--change", change))
        run_logged("import the base image", ["docker", "import", *words, archive, tag])


def _trust(root: Path) -> None:
    """Add the machine's own certificate authorities, so that builds behind its gateway reach packages."""
    bundle = _trusted()
    if bundle is None:
        return
    known = set(_PEM.findall((root / _BUNDLE).read_text()))
    own = [pem for pem in _PEM.findall(bundle.read_text(errors="replace")) if pem not in known]
    directory = root / "usr/local/share/ca-certificates"
    for number, pem in enumerate(dict.fromkeys(own)):
        (directory / f"machine-{number:03}.crt").write_text(pem + "\n")
    run_logged("trust the machine's authorities", ["chroot", root, "update-ca-certificates"])


def _slim(root: Path) -> None:
    for path in _SURPLUS:
        shutil.rmtree(root / path, ignore_errors=True)
        (root / path).mkdir(parents=True)
    for section in ("man1", "man7"):  # Java's and PostgreSQL's install scripts link into these
        (root / "usr/share/man" / section).mkdir()
    for archive in (root / "var/cache/apt").rglob("*.*"):
        archive.unlink()
    exclude = [f"path-exclude=/{path}/*" for path in _SURPLUS if path.startswith("usr/")]
    (root / "etc/dpkg/dpkg.cfg.d/slim").write_text("\n".join(exclude) + "\n")
    settings = ['APT::Install-Recommends "false";', 'Acquire::Languages "none";']
    (root / "etc/apt/apt.conf.d/slim").write_text("\n".join(settings) + "\n")


_bundle = _trusted()
IMAGE = Image(name="debian", base=None, inputs=(_bundle,) if _bundle else (), make=_make)
