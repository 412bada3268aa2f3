"""The commands behind the Makefile's targets. Each returns its exit code."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from components.naming import physical_name
from images.builder import ensure_images
from toolchain.console import BootstrapError, say
from toolchain.containers import remains, status_table
from toolchain.doctor import examine
from toolchain.engine import ensure_engine
from toolchain.environment import ensure_environment, export_lines
from toolchain.image_choice import (
    choose_image_set,
    ensure_image_set,
    pull_official,
    read_stack_file,
    unreachable,
)
from toolchain.paths import REPOSITORY
from toolchain.stack import check_name, ensure_stack, pulumi, stack_exists


def up(stack: str) -> int:
    """Bring the stack up, first making everything that is missing on this machine."""
    environment = _with_stack(stack)
    ensure_image_set(choose_image_set(stack, environment))
    code = _pulumi(["up", "--yes", "--skip-preview", "--stack", stack], environment)
    if code == 0:
        _print_addresses(stack, environment)
    return code


def preview(stack: str) -> int:
    """Show what ``up`` would change."""
    environment = _with_stack(stack)
    choose_image_set(stack, environment)
    return _pulumi(["preview", "--diff", "--stack", stack], environment)


def down(stack: str) -> int:
    """Destroy the stack; keep what ``protect_data`` protects, and then the stack that knows of it."""
    check_name(stack)
    environment = ensure_environment()
    os.environ.update(environment)
    if not stack_exists(stack, environment):
        say(f"there is no stack {stack}")
        return _report_remains(stack)
    code = _pulumi(
        ["destroy", "--yes", "--skip-preview", "--exclude-protected", "--stack", stack], environment
    )
    if code:
        return code
    deployment = json.loads(pulumi(["stack", "export", "--stack", stack], environment))["deployment"]
    if any(resource.get("protect") for resource in deployment.get("resources") or ()):
        kept = [name for name in remains(stack) if name.startswith("volume ")]
        say(f"kept, since protect_data is set: {', '.join(kept)}, and the stack {stack} with their secrets")
        return 0
    pulumi(["stack", "rm", stack, "--yes", "--preserve-config"], environment)
    return _report_remains(stack)


def status(stack: str) -> int:
    """Print the stack's containers."""
    _engine()
    print(status_table(stack))
    return 0


def credentials(stack: str) -> int:
    """Print how to log in to the stack's services."""
    environment = _existing(stack)
    logins = json.loads(
        pulumi(["stack", "output", "--json", "--show-secrets", "--stack", stack], environment)
    )
    for service, login in sorted(_output(logins, "credentials", stack).items()):
        print(f"{service}: {' '.join(f'{key}={value}' for key, value in login.items())}")
    return 0


def logs(stack: str, service: str) -> int:
    """Follow the log of one of the stack's containers."""
    _engine()
    if not service:
        print(status_table(stack))
        message = "name one of these services: make logs SERVICE=…"
        raise BootstrapError(message)
    return subprocess.call(["docker", "logs", "--follow", "--tail=200", physical_name(stack, service)])


def env() -> int:
    """Print the exports for a shell in which plain ``pulumi`` works on the local stacks."""
    print(export_lines())
    return 0


def images(stack: str) -> int:
    """Pull or build every image of the set that this machine can use."""
    _engine()
    found = read_stack_file(stack)
    named = found.settings.image_set if "image_set" in found.given else ""
    _image_set(named, found.settings.image_registry)
    return 0


def doctor(stack: str) -> int:
    """Print what this machine has and lacks; changes nothing."""
    return examine(stack)


def test(arguments: Sequence[str]) -> int:
    """Run the tests against the image set that this machine can use."""
    environment = ensure_environment()
    os.environ.update(environment)
    chosen = _image_set(environment.get("MLOPS_IMAGE_SET", ""))
    command = [sys.executable, "-m", "pytest", *arguments]
    say(" ".join(command[1:]))
    return subprocess.call(command, cwd=REPOSITORY, env=environment | {"MLOPS_IMAGE_SET": chosen})


def _image_set(named: str, image_registry: str = "") -> str:
    """The named image set, else the one that can be had; what is missing of it is pulled or built."""
    reason = "" if named else unreachable(image_registry)
    if reason:
        say(f"the official images cannot be pulled ({reason})")
    chosen = named or ("packages" if reason else "official")
    if chosen == "packages":
        ensure_images()
    elif chosen == "official":
        pull_official(image_registry)
    return chosen


def _engine() -> None:
    os.environ.update(ensure_engine())


def _with_stack(stack: str) -> dict[str, str]:
    check_name(stack)
    environment = ensure_environment()
    os.environ.update(environment)
    ensure_stack(stack, environment)
    return environment


def _existing(stack: str) -> dict[str, str]:
    check_name(stack)
    environment = ensure_environment()
    if not stack_exists(stack, environment):
        message = f"there is no stack {stack}; `make up STACK={stack}` makes it"
        raise BootstrapError(message)
    return environment


def _pulumi(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    return subprocess.call(["pulumi", *arguments], cwd=REPOSITORY, env=environment)


def _output(outputs: Mapping[str, dict], name: str, stack: str) -> dict:
    if name not in outputs:
        message = f"the stack {stack} has not been brought up yet; run `make up STACK={stack}`"
        raise BootstrapError(message)
    return outputs[name]


def _print_addresses(stack: str, environment: Mapping[str, str]) -> None:
    outputs = json.loads(pulumi(["stack", "output", "--json", "--stack", stack], environment))
    for service, address in sorted(_output(outputs, "endpoints", stack).items()):
        print(f"{service:16} {address}")
    if not outputs.get("told"):
        address = outputs["endpoints"]["alertmanager"]
        say(f"nobody is told of alerts: they show at {address} only (README, Who is told)")
    suffix = "" if stack == "dev" else f" STACK={stack}"
    print(f"How to log in: make credentials{suffix}")


def _report_remains(stack: str) -> int:
    left = remains(stack)
    for name in left:
        say(f"{name} bears the label of the stack {stack} but is not in its state; remove it with docker")
    return 1 if left else 0
