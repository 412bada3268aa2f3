"""Build once per content: a cache of directories keyed by the hash of what they are built from."""

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


def cached(name: str, inputs: Iterable[Path | str], build: Callable[[Path], None]) -> Path:
    """Return the cached directory of ``name``, calling ``build(directory)`` only when its inputs changed.

    A marker beside the directory says that the build has ended well; a directory without one is what a
    failed or interrupted build left, and is removed first. It has its final path from the start, since
    virtual environments cannot be moved. Results of earlier inputs stay, so switching branches is free.
    """
    target = cache_home() / "artifacts" / f"{name}-{digest(inputs)}"
    complete = target.with_name(target.name + ".complete")
    if not complete.exists():
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        build(target)
        complete.touch()
    return target
