"""Build once per content: a cache of directories keyed by the hash of what they are built from."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from toolchain.paths import cache_home


def digest(inputs: Iterable[Path | str]) -> str:
    """Hash files, whole directories (names, modes and contents) and plain strings, in the order given."""
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            total.update(b"s" + item.encode() + b"\0")
            continue
        for file in sorted(f for f in item.rglob("*") if f.is_file()) if item.is_dir() else [item]:
            if "__pycache__" in file.parts:
                continue
            executable = os.access(file, os.X_OK)
            relative = file.relative_to(item) if item.is_dir() else Path(file.name)
            total.update(f"f{relative}\0{executable:d}".encode())
            total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


def find(name: str, inputs: Iterable[Path | str]) -> Path | None:
    """Return what :func:`cached` would return, or None where it would have to be built."""
    target = _target(name, inputs)
    return target if _marker(target).exists() else None


def cached(name: str, inputs: Iterable[Path | str], build: Callable[[Path], None]) -> Path:
    """Return the cached directory of ``name``, calling ``build(directory)`` only when its inputs changed.

    A marker beside the directory says that the build has ended well; a directory without one is what a
    failed or interrupted build left, and is removed first. It has its final path from the start, since
    virtual environments cannot be moved. Results of earlier inputs stay, so switching branches is free.
    """
    target = _target(name, inputs)
    if _marker(target).exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_name(target.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _marker(target).exists():
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            build(target)
            _marker(target).touch()
    return target


def _target(name: str, inputs: Iterable[Path | str]) -> Path:
    return cache_home() / "artifacts" / f"{name}-{digest(inputs)}"


def _marker(target: Path) -> Path:
    return target.with_name(target.name + ".complete")
