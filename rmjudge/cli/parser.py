"""The command line's words. Imports nothing heavy: `--help` must be instant."""

from __future__ import annotations

import argparse
import math
from typing import Any, Final, NoReturn

from rmjudge.errors import UsageError
from rmjudge.vocabulary import DOMAINS, JUDGING_METHODS, ORDERS

FORMATS: Final = ("table", "json", "csv", "markdown", "latex")

_EPILOG: Final = """\
exit codes: 0 complete; 1 finished, but some calls could not be scored; 2 the input is wrong,
nothing was called; 3 stopped by the provider, or the disk (run it again to resume);
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


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog="rmjudge",
        description="Find out whether a reward model judges substance or style.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_run(commands)
    _add_report(commands)
    _add_data(commands)
    _add_cache(commands)
    _add_providers(commands)
    return parser


def _add_run(commands: Any) -> None:
    run = commands.add_parser(
        "run",
        help="score a data set with one or several models",
        description="Score a data set. Answers are kept: the same command again buys nothing, "
        "and an interrupted run goes on where it was.",
        allow_abbrev=False,
    )
    run.add_argument(
        "models",
        nargs="*",
        metavar="MODEL",
        help="PROVIDER/MODEL[@URL]: openai/..., anthropic/... (judges), vllm/... (rewards), "
        "baseline/length (no model); `rmjudge providers` lists all",
    )
    what = run.add_argument_group("what is scored")
    what.add_argument(
        "--data",
        action="append",
        metavar="SOURCE",
        help="sample (default), rm-bench (downloaded once), or files and folders; repeatable",
    )
    what.add_argument(
        "--domain", action="append", choices=DOMAINS, dest="domains", help="only this; repeatable"
    )
    what.add_argument(
        "--limit", type=_count, metavar="N", help="only the first N tuples of each domain"
    )
    how = run.add_argument_group("how judges are asked")
    how.add_argument(
        "--method",
        choices=JUDGING_METHODS,
        metavar="METHOD",
        help="pairwise (default): five verdicts; -two-level: A or B; -logprob: P(A) of one token; "
        "pointwise: a rating 1 to 10; -logprob: its expected value",
    )
    how.add_argument(
        "--votes", type=_count, metavar="N", help="ask each question N times and average"
    )
    how.add_argument(
        "--template",
        metavar="FILE",
        help="your own question (Jinja: prompt, response_a, response_b or response); or the chat "
        "template of a server that wants rendered text (messages)",
    )
    how.add_argument(
        "--order",
        choices=ORDERS,
        help="seeded (default): one order a pair, drawn by hash; both: both orders; adaptive: "
        "both, but the second only where the first gave a verdict",
    )
    how.add_argument("--seed", type=int, metavar="N", help="of the seeded order (default 0)")
    how.add_argument(
        "--param",
        action="append",
        dest="params",
        metavar="NAME=JSON",
        help="set a field of every request body, null removes it; repeatable",
    )
    where = run.add_argument_group("endpoints")
    where.add_argument("--base-url", metavar="URL", help="of the run's one hosted model")
    where.add_argument("--concurrency", type=_count, metavar="N", help="calls in flight per model")
    where.add_argument("--rpm", type=_positive, metavar="N", help="requests a minute per model")
    where.add_argument("--tpm", type=_positive, metavar="N", help="tokens a minute per model")
    where.add_argument(
        "--deadline", type=_positive, metavar="S", help="seconds for one attempt (default 600)"
    )
    files = run.add_argument_group("files and output")
    files.add_argument("--out", metavar="DIR", help="results folder (default runs/...)")
    files.add_argument("--cache-dir", metavar="DIR", help="where answers are kept")
    files.add_argument("--config", metavar="FILE", help="options (default ./rmjudge.toml)")
    files.add_argument(
        "--dry-run", action="store_true", help="say what would be called and bought; call nothing"
    )
    files.add_argument("--json", action="store_true", help="one JSON object on standard output")
    files.add_argument("--quiet", action="store_true", help="no progress")


def _add_report(commands: Any) -> None:
    report = commands.add_parser(
        "report", help="show finished runs", description="Show finished runs.", allow_abbrev=False
    )
    report.add_argument("folders", nargs="+", metavar="DIR", help="what `rmjudge run` wrote")
    report.add_argument("--format", choices=FORMATS, default="table", help="default table")


def _add_data(commands: Any) -> None:
    data = commands.add_parser("data", help="look at a data set", allow_abbrev=False)
    actions = data.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser(
        "check", help="validate and summarise", description="Validate and summarise a data set."
    )
    check.add_argument("sources", nargs="+", metavar="SOURCE")
    check.add_argument("--json", action="store_true", help="one JSON object on standard output")


def _add_cache(commands: Any) -> None:
    cache = commands.add_parser("cache", help="look at the kept answers", allow_abbrev=False)
    actions = cache.add_subparsers(dest="action", metavar="ACTION", required=True)
    info = actions.add_parser("info", help="what is kept, by scorer")
    verify = actions.add_parser("verify", help="read every row and check it")
    explain = actions.add_parser(
        "explain", help="why a run's calls were not found: which part of the key differs"
    )
    explain.add_argument("folder", metavar="RUN", help="what `rmjudge run` wrote")
    for action in (info, verify, explain):
        action.add_argument("--cache-dir", metavar="DIR", help="where answers are kept")
        action.add_argument("--json", action="store_true", help="one JSON object")


def _add_providers(commands: Any) -> None:
    providers = commands.add_parser(
        "providers",
        help="what can be asked, with which key; try one out",
        description="List the providers, or make one tiny call to a model.",
        allow_abbrev=False,
    )
    providers.add_argument(
        "--check", metavar="MODEL", help="make one tiny call and tell what is wrong if it fails"
    )
    providers.add_argument("--base-url", metavar="URL", help="of the model that is checked")
    providers.add_argument("--format", choices=("table", "markdown"), default="table")
    providers.add_argument("--json", action="store_true", help="one JSON object")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError("must be above 0")
    return number


# argparse names the type in its message: "invalid whole number value: 'x'".
_count.__name__ = "whole number"
_positive.__name__ = "number"
