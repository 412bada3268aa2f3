"""``python -m toolchain <command>``: what the Makefile's targets run.

The first process knows only the standard library; it makes the Python environment, then becomes that
environment's Python, where the commands may use what is installed there.
"""

import argparse
import os
import sys
from pathlib import Path

from toolchain.console import BootstrapError
from toolchain.paths import REPOSITORY
from toolchain.python_env import ensure_python

_STACK_COMMANDS = ("up", "preview", "down", "status", "credentials", "doctor", "images")


def main() -> int:
    """Run one command; a failure is one message and exit code 1."""
    arguments = _parser().parse_args()
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
    commands.add_parser("test").add_argument("pytest_arguments", nargs=argparse.REMAINDER)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command == "python":
        print(Path(sys.prefix) / "bin")
        return 0
    # Only the project's Python environment holds what these modules need.
    from toolchain import commands

    match arguments.command:
        case "env":
            return commands.env()
        case "test":
            return commands.test(arguments.pytest_arguments)
        case "logs":
            return commands.logs(arguments.stack, arguments.service)
        case name:
            return getattr(commands, name)(arguments.stack)


if __name__ == "__main__":
    sys.exit(main())
