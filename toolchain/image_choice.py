"""Which image set a stack uses: found out once, where nobody has said it, and written into its settings."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import docker
import docker.errors
import requests
import yaml

import settings as stack_settings
from configs.versions import image_for, lacks, versions
from images.builder import ensure_images
from settings.model import Settings
from toolchain.console import run_logged, say
from toolchain.paths import REPOSITORY
from toolchain.stack import pulumi

_PROBE_SECONDS = 5
_PROBED = "statsd-exporter"


@dataclass(frozen=True)
class StackFile:
    """``Pulumi.<stack>.yaml`` as far as the bootstrap needs it: the settings, and which are set there."""

    settings: Settings
    given: frozenset[str]


def read_stack_file(stack: str) -> StackFile:
    """Read the stack's file; settings that the program will refuse have their defaults here."""
    project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())["name"]
    path = REPOSITORY / f"Pulumi.{stack}.yaml"
    document = yaml.safe_load(path.read_text()) if path.exists() else None
    config: dict[str, Any] = (document or {}).get("config") or {}
    plain = {
        key: value for key, value in config.items() if not (isinstance(value, dict) and "secure" in value)
    }
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in plain.items()}
    given = {key.removeprefix(f"{project}:") for key in config}
    return StackFile(stack_settings.read(texts, project=project, stack=stack).settings, frozenset(given))


def choose_image_set(stack: str, environment: Mapping[str, str]) -> Settings:
    """Return the stack's settings after writing the image set into them where none was named."""
    found = read_stack_file(stack)
    if "image_set" in found.given:
        return found.settings
    reason = unreachable(found.settings.image_registry)
    image_set = "packages" if reason else "official"
    if reason:
        say(f"the official images cannot be pulled ({reason}); this stack uses images built from packages")
    chosen = {"image_set": image_set}
    if lacks("kibana", image_set) and found.settings.kibana.enabled and not found.settings.kibana.image:
        chosen["kibana.enabled"] = "false"
        say("Kibana cannot be built from packages, so this stack has none; kibana.image can name one")
    if lacks("grafana", image_set, "web_ui"):
        say("Grafana as built from packages has its API but no web front end")
    for key, value in chosen.items():
        say(f"setting {key} to {value} in Pulumi.{stack}.yaml")
        pulumi(["config", "set", key, value, "--stack", stack], environment)
    return read_stack_file(stack).settings


def unreachable(image_registry: str = "") -> str:
    """Why the engine cannot pull the official images, or nothing when it can; takes at most five seconds."""
    image = image_for(_PROBED, "official", image_registry)
    try:
        client = docker.from_env(timeout=_PROBE_SECONDS)
        try:
            if client.images.list(name=image):
                return ""
            client.api.inspect_distribution(image)
        finally:
            client.close()
    except (docker.errors.DockerException, requests.RequestException) as failure:
        explanation = getattr(failure, "explanation", None) or str(failure)
        return str(explanation).strip()
    return ""


def ensure_image_set(settings: Settings) -> None:
    """Build the images of the enabled services where they are built here; others are pulled by the engine."""
    if settings.image_set == "packages":
        wanted = [name for name in versions("packages") if _runs(settings, name)]
        ensure_images(wanted)


def pull_official(image_registry: str = "") -> None:
    """Pull the images of the official set that the engine lacks, so that nothing later waits for them."""
    for name in versions("official"):
        image = image_for(name, "official", image_registry)
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode:
            run_logged(f"pull image {name}", ["docker", "pull", image])


def _runs(settings: Settings, service: str) -> bool:
    section = service.replace("-", "_")
    return hasattr(settings, section) and settings.enabled(section)
