"""The command line: one module a command, with its arguments and what it does.

`add` adds the command's arguments. For `--help` every module is imported, so what a command needs
to do its work is imported when it does it.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from typing import TypeAlias

from rmjudge.cli.parser import build_parser
from rmjudge.errors import Interrupted, RmjudgeError, StopRun, UsageError

Command: TypeAlias = Callable[[Namespace, Sequence[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code. Errors are printed without a traceback."""
    # Not `list(...)`: once the command of that name is imported, it is what `list` means here.
    arguments = [*(sys.argv[1:] if argv is None else argv)]
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: no traceback
    try:
        return _dispatch(arguments)
    except RmjudgeError as error:
        if "--json" in arguments:
            print(json.dumps({"exit_code": error.exit_code, "error": str(error)}))  # noqa: T201
        _tell(_printable(error))
        return error.exit_code
    except OSError as error:  # /dev/full, a terminal that has gone
        _tell(f"the output cannot be written: {error.strerror}")
        return StopRun.exit_code
    except KeyboardInterrupt:
        _tell("interrupted")
        return Interrupted.exit_code
    finally:
        _flush()


def _dispatch(arguments: list[str]) -> int:
    parser = build_parser(arguments)
    options = parser.parse_args(arguments)
    if options.version:
        from rmjudge.version import __version__

        print(f"rmjudge {__version__}")  # noqa: T201
        return 0
    if options.command is None:
        parser.print_help()
        return UsageError.exit_code
    command: Command = options.handler
    return command(options, arguments)


def _tell(message: str) -> None:
    """Say it on standard error, if that is still there."""
    with suppress(OSError):
        print(f"rmjudge: {message}", file=sys.stderr)  # noqa: T201


def _flush() -> None:
    """Write out what is left; Python itself would complain at exit when nobody can read it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _printable(error: RmjudgeError) -> str:
    from rmjudge.text import clean

    return clean(str(error))
