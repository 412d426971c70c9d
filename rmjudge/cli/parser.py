"""The command line's parser. Imports nothing heavy: `--help` must be instant."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final, NoReturn

from rmjudge.errors import UsageError
from rmjudge.text import did_you_mean

COMMANDS: Final = (
    *("run", "score", "list", "report", "view", "show", "compare", "style", "retest", "panel"),
    *("agree", "correlate", "leaderboard", "readings", "import", "reparse", "convert", "data"),
    *("cache", "providers", "completion"),
)
"""In the order of `--help`. The module of a command has its name, but for Python's own words."""
_MODULES: Final = {"import": "importing"}

_EPILOG: Final = """\
exit codes: 0 complete; 1 finished, but more cells than --allow-unscored have no score; 2 the
input is wrong, nothing was called; 3 stopped by provider, disk or budget (run it again to resume);
4 finished, but under --fail-under; 130 interrupted (run it again to resume)

examples:
  rmjudge run baseline/length --data sample
  rmjudge run openai/gpt-4.1 --data rm-bench --dry-run
  rmjudge run openai/judge@http://localhost:8000/v1 vllm/rm@http://localhost:8001 --data rm-bench
  rmjudge report runs/*
"""


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of leaving the process, and says what may have been meant."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command."""
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is unknown here, in the command that it was given to, not in the whole."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{self._hint(unknown)}")
        return found, unknown

    def _hint(self, words: Sequence[str]) -> str:
        known = [name for name in self._option_string_actions if name.startswith("--")]
        for word in words:
            name = word.partition("=")[0]
            if name.startswith("-") and (hint := did_you_mean(name, known, otherwise="")):
                return f"; {hint}"
        return ""

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            hint = did_you_mean(str(value), map(str, action.choices))
            raise argparse.ArgumentError(action, f"invalid choice: {value!r}; {hint}")


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
    for name in [named] if named in COMMANDS else COMMANDS:
        import_module(f"rmjudge.cli.{_MODULES.get(name, name)}").add(commands)
    return parser
