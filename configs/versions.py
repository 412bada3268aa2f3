"""The table of image versions: which image a service runs in each image set, and what that set lacks.

Pure: reads ``versions.yaml`` beside this file and nothing else, so that the program, the image builder and
the tests all speak of the same versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import yaml

ImageSet = Literal["official", "packages"]

_TABLE = Path(__file__).with_name("versions.yaml")
_ABSENT = "absent"
_BUILT_HERE = "mlops-packages/"
_COLUMNS: tuple[ImageSet, ...] = ("official", "packages")


# Services that run another one's image, by the section of their settings.
_SHARED = {
    "airflow_exporter": "airflow",
    "container_exporter": "airflow",
    "filebeat_containers": "filebeat",
    "log_exporter": "airflow",
}


@dataclass(frozen=True, kw_only=True)
class Release:
    """One cell of the table: an image's repository, its tag, and the version of the software inside."""

    image: str
    version: str
    tag: str
    capabilities: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def built_here(self) -> bool:
        """Whether ``images/`` builds it, so that its content can change under the same tag."""
        return self.image.startswith(_BUILT_HERE)


@cache
def _table() -> Mapping[str, Mapping[str, Release | None]]:
    rows = yaml.safe_load(_TABLE.read_text())
    return {name: {column: _release(row[column]) for column in _COLUMNS} for name, row in rows.items()}


def _release(cell: Any) -> Release | None:
    return None if cell == _ABSENT else Release(**{"tag": cell["version"], **cell})


def row_of(section: str) -> str:
    """The row of the table whose image the service of a settings' section runs."""
    return _SHARED.get(section, section.replace("_", "-"))


def release(service: str, image_set: ImageSet) -> Release | None:
    """Return the service's release in ``image_set``, or None where that set has no such service.

    Raises:
        LookupError: the table has no row of that name.
    """
    if service not in _table():
        message = f"{_TABLE.name} has no row {service!r}; it has {', '.join(sorted(_table()))}"
        raise LookupError(message)
    return _table()[service][image_set]


def _present(service: str, image_set: ImageSet) -> Release:
    found = release(service, image_set)
    if found is None:
        message = f"the image set {image_set!r} has no image of {service}"
        raise LookupError(message)
    return found


def image_for(service: str, image_set: ImageSet, image_registry: str = "") -> str:
    """Return the image name with its tag; ``image_registry`` (a mirror) is put before official names only.

    Raises:
        LookupError: the set has no image of that service.
    """
    found = _present(service, image_set)
    prefix = f"{image_registry.rstrip('/')}/" if image_registry and image_set == "official" else ""
    return f"{prefix}{found.image}:{found.tag}"


def lacks(service: str, image_set: ImageSet, capability: str | None = None) -> bool:
    """Whether the set lacks the service itself or, if ``capability`` is named, that part of it."""
    found = release(service, image_set)
    if found is None:
        return True
    return capability is not None and not found.capabilities.get(capability, True)


def version_of(service: str, image_set: ImageSet) -> str:
    """Return the version of the software in the set's image.

    Raises:
        LookupError: the set has no image of that service.
    """
    return _present(service, image_set).version


def versions(image_set: ImageSet) -> dict[str, str]:
    """Return the version of every service that the set has, for the stack's outputs."""
    cells = ((name, row[image_set]) for name, row in _table().items())
    return {name: cell.version for name, cell in cells if cell is not None}
