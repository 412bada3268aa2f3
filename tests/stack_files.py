"""The committed stack files: a stack that is in use has its own values written into the working ones."""

import subprocess
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
PROJECT = "mlops-observability"


def committed_config(stack: str) -> dict[str, str]:
    """The config of ``Pulumi.<stack>.yaml`` in the last commit, keys and texts as the CLI hands them over."""
    shown = subprocess.run(
        ["git", "show", f"HEAD:Pulumi.{stack}.yaml"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    given = yaml.safe_load(shown.stdout)["config"] or {}
    return {
        key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()
    }
