"""``python -m toolchain <command>``: what the Makefile's targets run.

The first process knows only the standard library; it makes the Python environment, then becomes that
environment's Python, where the commands may use what is installed there.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

_MINIMUM = (3, 11)
# Older ones cannot even read the modules below; this file is written so that they can read it.
if sys.version_info < _MINIMUM:
    sys.exit(
        "error: Python {}.{} or newer is needed, this is {} ({}); name another: make PYTHON=...".format(
            *_MINIMUM, sys.version.split()[0], sys.executable
        )
    )

from toolchain.console import BootstrapError  # noqa: E402
from toolchain.paths import REPOSITORY  # noqa: E402
from toolchain.python_env import ensure_python  # noqa: E402

_STACK_COMMANDS = ("up", "preview", "down", "status", "credentials", "doctor", "images")


def main() -> int:
    """Run one command; a failure is one message and exit code 1."""
    arguments = parse(sys.argv[1:])
    try:
        python = ensure_python()
        if Path(sys.prefix).resolve() != python.parent.resolve():
            os.chdir(REPOSITORY)
            os.execv(python / "python", [str(python / "python"), "-m", "toolchain", *sys.argv[1:]])
        return _run(arguments)
    except BootstrapError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Return the command and its arguments; all that follows ``test`` is pytest's, options as well."""
    if words[:1] == ["test"]:
        return argparse.Namespace(command="test", pytest_arguments=list(words[1:]))
    return _parser().parse_args(words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="toolchain", description="Bootstrap of the observability platform.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in (*_STACK_COMMANDS, "logs"):
        command = commands.add_parser(name)
        command.add_argument("--stack", default="dev")
        if name == "logs":
            command.add_argument("service", nargs="?", default="")
    commands.add_parser("env")
    commands.add_parser("python", help="make the Python environment and print its bin directory")
    commands.add_parser("test", help="run the tests; everything after it goes to pytest")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "python":
        print(Path(sys.prefix) / "bin")
        return 0
    # Only the project's Python environment holds what these modules need.
    from toolchain import commands

    if arguments.command == "env":
        return commands.env()
    if arguments.command == "test":
        return commands.test(arguments.pytest_arguments)
    if arguments.command == "logs":
        return commands.logs(arguments.stack, arguments.service)
    return getattr(commands, arguments.command)(arguments.stack)


if __name__ == "__main__":
    sys.exit(main())
