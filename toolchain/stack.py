"""The stack: where its state is kept, what encrypts its secrets, and that it exists."""

import json
import os
import re
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from toolchain.console import BootstrapError, say
from toolchain.paths import REPOSITORY, state_home

_NAME = re.compile(r"[a-z][a-z0-9]*")


def backend_environment() -> Mapping[str, str]:
    """Return where the state and the passphrase are; what the user has set already is left as it is.

    State and passphrase live together: either is worthless without the other.
    """
    chosen: dict[str, str] = {}
    if not os.environ.get("PULUMI_BACKEND_URL"):
        state = state_home() / "pulumi"
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        chosen["PULUMI_BACKEND_URL"] = f"file://{state}"
    if os.environ.get("PULUMI_CONFIG_PASSPHRASE") == "":
        # The CLI takes an empty one as the passphrase, before any file.
        say("PULUMI_CONFIG_PASSPHRASE is set but empty, which protects no secret; unset it to have one made")
    elif not (os.environ.get("PULUMI_CONFIG_PASSPHRASE") or os.environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")):
        chosen["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(_passphrase_file())
    return chosen


def ensure_stack(stack: str, environment: Mapping[str, str]) -> bool:
    """Create the stack if it is missing; tell whether it was.

    Raises:
        BootstrapError: the name is not a stack's, or the backend refuses.
    """
    check_name(stack)
    if stack_exists(stack, environment):
        return False
    say(f"creating the stack {stack} in {environment['PULUMI_BACKEND_URL']}")
    pulumi(["stack", "init", stack, "--secrets-provider", "passphrase", "--no-select"], environment)
    return True


def check_name(stack: str) -> None:
    """Refuse names that could not be part of a container's name.

    Raises:
        BootstrapError: the name does not match ``[a-z][a-z0-9]*``.
    """
    if not _NAME.fullmatch(stack):
        message = f"{stack!r} is no stack name: lower-case letters and digits, beginning with a letter"
        raise BootstrapError(message)


def stack_exists(stack: str, environment: Mapping[str, str]) -> bool:
    """Whether the backend knows the stack of this project."""
    listed = json.loads(pulumi(["stack", "ls", "--json"], environment))
    return any(entry["name"].rsplit("/", 1)[-1] == stack for entry in listed)


def pulumi(arguments: list[str], environment: Mapping[str, str]) -> str:
    """Run ``pulumi`` in the program's directory and return what it wrote to standard output.

    Raises:
        BootstrapError: it failed; carries what it wrote to standard error.
    """
    done = subprocess.run(
        ["pulumi", *arguments, "--non-interactive", "--color=never"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        # Values of `config set` may be secret, so only the subcommand is named.
        message = f"pulumi {' '.join(arguments[:2])} failed:\n{done.stderr.strip() or done.stdout.strip()}"
        raise BootstrapError(message)
    return done.stdout


def _passphrase_file() -> Path:
    path = state_home() / "passphrase"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        say(f"generating the passphrase of the stacks' secrets in {path}; keep it with the state")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as sink:
            sink.write(secrets.token_urlsafe(32))
    return path
