"""`rmjudge completion`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rmjudge.cli.arguments import add_command

SHELLS: Final = ("bash", "zsh", "tcsh")
_FOLDERS: Final = frozenset(("RUN", "DIR", "FOLDER"))
_FILES: Final = frozenset(("FILE", "SOURCE", "DATA"))


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "completion",
        completion,
        help="a script that lets a shell complete commands and options",
        description='Print the script. bash and zsh read it: eval "$(rmjudge completion SHELL)"',
    )
    parser.add_argument("shell", choices=SHELLS)


def completion(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Print the script."""
    import shtab

    from rmjudge.cli.parser import build_parser

    parser = build_parser(())
    for action in _actions(parser):
        if action.metavar in _FOLDERS:
            action.complete = shtab.DIRECTORY
        elif action.metavar in _FILES:
            action.complete = shtab.FILE
    print(shtab.complete(parser, arguments.shell))  # noqa: T201
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Those of a parser and of its commands."""
    for action in parser._actions:  # noqa: SLF001  argparse has no other way to list them
        yield action
        if isinstance(action.choices, dict):
            for child in action.choices.values():
                yield from _actions(child)
