"""The command line's words. Imports nothing heavy: `--help` must be instant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

from rmjudge.cli.arguments import MODULES
from rmjudge.errors import UsageError

_EPILOG: Final = """\
exit codes: 0 complete; 1 finished, but some calls could not be scored; 2 the input is wrong,
nothing was called; 3 stopped by provider, disk or budget (run it again to resume);
130 interrupted (likewise)

examples:
  rmjudge run baseline/length --data sample
  rmjudge run openai/gpt-4.1 --data rm-bench --dry-run
  rmjudge run openai/judge@http://localhost:8000/v1 vllm/rm@http://localhost:8001 --data rm-bench
  rmjudge report runs/*
"""


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of leaving the process."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command."""
        raise UsageError(f"{message}; see `{self.prog} --help`")


def build_parser(words: Sequence[str]) -> Parser:
    """The command line, for these words: if they name a command, that one alone is spelled out.

    argparse takes a tenth of a report's time to put all of them together.
    """
    parser = Parser(
        prog="rmjudge",
        description="Find out whether a reward model judges substance or style.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    named = next((word for word in words if not word.startswith("-")), "")
    for module in [MODULES[named]] if named in MODULES else MODULES.values():
        import_module(f"rmjudge.cli.arguments.{module}").add(commands)
    return parser
