"""The command line. Each command's module is imported when it is called."""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import TypeAlias

from rmjudge.cli.parser import build_parser
from rmjudge.errors import Interrupted, RmjudgeError, StopRun, UsageError
from rmjudge.garbage import uncollected

Command: TypeAlias = Callable[[Namespace, Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. Errors are told, never traced."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: told, never traced
    try:
        return _dispatch(arguments)
    except RmjudgeError as error:
        if "--json" in arguments:
            print(json.dumps({"exit_code": error.exit_code, "error": str(error)}))  # noqa: T201
        print(f"rmjudge: {_printable(error)}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    except OSError as error:  # /dev/full, a terminal that has gone
        print(f"rmjudge: the output cannot be written: {error.strerror}", file=sys.stderr)  # noqa: T201
        return StopRun.exit_code
    except KeyboardInterrupt:
        print("rmjudge: interrupted", file=sys.stderr)  # noqa: T201
        return Interrupted.exit_code
    finally:
        _flush()


def _dispatch(arguments: list[str]) -> int:
    with uncollected():  # modules stay
        parser = build_parser(arguments)
        options = parser.parse_args(arguments)
        command = _command(*options.handler) if options.command else None
    if options.version:
        from rmjudge.version import __version__

        print(f"rmjudge {__version__}")  # noqa: T201
        return 0
    if command is None:
        parser.print_help()
        return UsageError.exit_code
    return command(options, arguments)


def _command(module: str, function: str) -> Command:
    command: Command = getattr(import_module(f"rmjudge.cli.{module}"), function)
    return command


def _flush() -> None:
    """Write out what is left; Python itself would complain at exit when nobody can read it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _printable(error: RmjudgeError) -> str:
    from rmjudge.text import clean

    return clean(str(error))
