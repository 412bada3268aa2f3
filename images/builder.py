"""Build the images of the ``packages`` set that are missing or made from other inputs than today's.

An image's inputs are the files of its directory, what its recipe adds to them, and the inputs of the image
below it. Their hash is a label of the image, so one ``docker image inspect`` tells what is to be built.
"""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from configs.versions import image_for
from toolchain.artifact import digest
from toolchain.console import BootstrapError, run_logged, say
from toolchain.paths import cache_home

INPUTS_LABEL = "mlops.inputs"
_HERE = Path(__file__).resolve().parent
_NOT_CONTEXT = ("recipe.py", "__init__.py", "__pycache__", "go")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
# Go builds wait for each other by themselves; a third builder downloads meanwhile.
_SIDE_BY_SIDE = 3


def nothing(context: Path) -> None:
    """Add nothing to the build context: the stage of an image whose Dockerfile fetches all by itself."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image of the set.

    Attributes:
        name: the service's name, the row of ``configs/versions.yaml`` and, with underscores, the directory.
        stage: puts binaries and downloads into the build context, beside a copy of the image's directory.
        inputs: what the image is made from besides that directory: paths, or strings for hashes and versions.
        base: the image that the Dockerfile's ``ARG BASE`` names; None where the Dockerfile has no such line.
        make: builds the image without a Dockerfile, given the tag and the value of the inputs label.
    """

    name: str
    stage: Callable[[Path], None] = nothing
    inputs: tuple[Path | str, ...] = ()
    base: str | None = "debian"
    make: Callable[[str, str], None] | None = None

    @property
    def directory(self) -> Path:
        """The image's directory in the repository."""
        return _HERE / self.name.replace("-", "_")

    @property
    def tag(self) -> str:
        """The image's name and tag."""
        return image_for(self.name, "packages")


def ensure_images(names: Iterable[str] | None = None) -> None:
    """Build what is missing or stale among ``names`` (all, if None) and the images they are based on.

    Raises:
        BootstrapError: a name is unknown, the engine does not answer, or a build failed.
    """
    wanted = _with_bases(names)
    hashes = _hashes(wanted)
    present = _present(wanted)
    stale = [image for image in wanted if present.get(image.tag) != hashes[image.name]]
    if not stale:
        return
    say(f"images to build: {', '.join(image.name for image in stale)}")
    pool = ThreadPoolExecutor(_SIDE_BY_SIDE)
    builds: dict[str, Future[None]] = {}
    try:
        for image in stale:
            below_build = builds.get(image.base) if image.base else None
            builds[image.name] = pool.submit(_build, image, hashes[image.name], below_build)
        for build in as_completed(builds.values()):
            build.result()
    finally:
        pool.shutdown(cancel_futures=True)


def inputs_of(name: str) -> str:
    """Return the hash of what the image ``name`` is built from today, the value of its inputs label."""
    return _hashes(_with_bases([name]))[name]


def _hashes(images: Sequence[Image]) -> dict[str, str]:
    """The hash of each image's inputs; an image comes after its base."""
    hashes: dict[str, str] = {}
    for image in images:
        below = hashes[image.base] if image.base else ""
        hashes[image.name] = digest([image.directory, *image.inputs, image.tag, below])
    return hashes


def _with_bases(names: Iterable[str] | None) -> list[Image]:
    """The wanted images, each after its base; images without a base come first."""
    from images.recipes import IMAGES  # the recipes themselves import this module

    known = {image.name: image for image in IMAGES}
    ordered: dict[str, Image] = {}

    def add(name: str) -> None:
        if name not in known:
            message = f"no image {name!r} in images/; there are {', '.join(sorted(known))}"
            raise BootstrapError(message)
        base = known[name].base
        if base and base not in ordered:
            add(base)
        ordered.setdefault(name, known[name])

    for name in names if names is not None else known:
        add(name)
    return list(ordered.values())


def _present(images: Sequence[Image]) -> dict[str, str]:
    """Each present image's tag and the hash of its inputs."""
    command = ["docker", "image", "inspect", "--format", "{{json .RepoTags}} {{json .Config.Labels}}"]
    answer = subprocess.run(
        [*command, *(image.tag for image in images)], capture_output=True, text=True, check=False
    )
    if answer.returncode and "no such image" not in answer.stderr.lower():
        message = f"the Docker Engine does not tell its images: {answer.stderr.strip()}"
        raise BootstrapError(message)
    found: dict[str, str] = {}
    for line in filter(None, answer.stdout.splitlines()):
        tags, _, labels = line.partition("] ")
        label = (json.loads(labels) or {}).get(INPUTS_LABEL, "")
        found |= dict.fromkeys(json.loads(tags + "]"), label)
    return found


def _build(image: Image, inputs: str, below: Future[None] | None) -> None:
    with _one_at_a_time(image.name):
        if _present([image]).get(image.tag) == inputs:
            return
        replaced = _image_id(image.tag)
        if image.make:
            image.make(image.tag, inputs)
        else:
            _docker_build(image, inputs, below)
        # An engine keeps the replaced image for ever unless told; one that is in use is left. No
        # `image prune`: the layers of whatever else is being built now bear the base's label too.
        if replaced and replaced != _image_id(image.tag):
            subprocess.run(["docker", "image", "rm", replaced], capture_output=True, check=False)


def _image_id(tag: str) -> str:
    """The id of the image that ``tag`` names, empty if there is none."""
    command = ["docker", "image", "ls", "--quiet", "--no-trunc", tag]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _docker_build(image: Image, inputs: str, below: Future[None] | None) -> None:
    contexts = cache_home() / "contexts"
    contexts.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{image.name}-", dir=contexts) as directory:
        context = Path(directory)
        skip = shutil.ignore_patterns(*_NOT_CONTEXT)
        shutil.copytree(image.directory, context, ignore=skip, dirs_exist_ok=True)
        image.stage(context)
        if below:
            below.result()
        arguments = {name: os.environ[name] for name in _PROXIES if os.environ.get(name)}
        if image.base:
            arguments["BASE"] = image_for(image.base, "packages")
        run_logged(
            f"build image {image.name}",
            [
                *("docker", "build", "--network=host", "--tag", image.tag),
                *("--label", f"{INPUTS_LABEL}={inputs}"),
                *(word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")),
                context,
            ],
        )


@contextmanager
def _one_at_a_time(name: str) -> Iterator[None]:
    """Keep a second bootstrap from building the same image at the same time."""
    locks = cache_home() / "locks"
    locks.mkdir(parents=True, exist_ok=True)
    with (locks / f"image-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
