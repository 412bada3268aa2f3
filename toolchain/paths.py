"""Where the bootstrap keeps what it makes, always outside the checkout."""

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
_NAME = "mlops-observability"


def _home(variable: str, fallback: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / fallback) / _NAME


def cache_home() -> Path:
    """Rebuildable files: Python environment, binaries, images' contexts, logs (``$XDG_CACHE_HOME``)."""
    return _home("XDG_CACHE_HOME", ".cache")


def state_home() -> Path:
    """Files that must not be lost: Pulumi's state and its passphrase (``$XDG_STATE_HOME``)."""
    return _home("XDG_STATE_HOME", ".local/state")


def log_home() -> Path:
    """Logs of builds and of a ``dockerd`` started by the bootstrap."""
    return cache_home() / "logs"
