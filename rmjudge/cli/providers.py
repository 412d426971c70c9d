"""`rmjudge providers`: what there is, and whether a model answers."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from rmjudge.cli.arguments import add_command, add_json, add_option, given_options
from rmjudge.errors import StopRun
from rmjudge.options import OPTIONS
from rmjudge.options.written import model

if TYPE_CHECKING:
    from rmjudge.calls import Call, Outcome
    from rmjudge.scorer import Scorer

PROMPT: Final = "What is the capital of France?"
RIGHT: Final = "The capital of France is Paris."
WRONG: Final = "The capital of France is Lyon."


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "providers",
        providers,
        help="what can be asked, with which key; try one out",
        description="List the providers, or make one tiny call to a model.",
    )
    parser.add_argument(
        "--check",
        type=model,
        metavar="MODEL",
        help="make one tiny call and tell what is wrong if it fails",
    )
    parser.add_argument("--base-url", metavar="URL", help="of the model that is checked")
    add_option(parser, OPTIONS["headers"])
    parser.add_argument("--format", choices=("table", "markdown"), default="table")
    add_json(parser, "one JSON object")


def providers(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """List providers, or make one tiny call with `--check`."""
    from rmjudge.cli.console import print_json, print_text, tables
    from rmjudge.providers.listing import listings
    from rmjudge.render.commands import providers as shown
    from rmjudge.render.terminal.listings import sheets_renderable

    if arguments.check:
        import asyncio

        return asyncio.run(_check(arguments))
    found = list(listings())
    if arguments.json:
        print_json(shown.providers_to_json(found))
    elif arguments.format == "markdown":
        print_text(shown.providers_markdown(found))
    else:
        tables().print(sheets_renderable([shown.providers_sheet(found)]))
    return 0


async def _check(arguments: argparse.Namespace) -> int:
    from dataclasses import replace

    from rmjudge.cli.console import say
    from rmjudge.config import run_options
    from rmjudge.running.choosing import choose

    options = replace(run_options(given_options(arguments)), deadline=60.0, try_once=True)
    (chosen,) = choose([arguments.check], options)
    scorer = chosen.scorer
    try:
        (outcome,) = await scorer.answer([_question(scorer)])
    except StopRun as reason:
        say(f"{scorer.name} does not work: {reason}")
        return 3
    finally:
        await scorer.aclose()
    return _tell(scorer, outcome)


def _question(scorer: Scorer) -> Call:
    from rmjudge.calls import ChooseCall, CompareCall, RewardCall

    if scorer.method == "pairwise":
        return CompareCall(PROMPT, RIGHT, WRONG)
    if scorer.method == "choice":
        return ChooseCall(PROMPT, (RIGHT, WRONG))
    return RewardCall(PROMPT, RIGHT)


def _tell(scorer: Scorer, outcome: Outcome) -> int:
    from rmjudge.calls import Choice, Failure, Reward, Unscored, Verdict
    from rmjudge.cli.console import say

    if isinstance(outcome, Failure):
        say(f"{scorer.name} does not work: {outcome.status}: {outcome.detail}")
        return 1
    answer = outcome.answer
    if isinstance(answer, Unscored):
        say(f"{scorer.name} answers, but not with a score: {answer.status}: {answer.detail}")
        return 1
    model = f" (the reply names {outcome.model})" if outcome.model else ""
    if isinstance(answer, Verdict):
        said = f"it prefers the right answer with {answer.first:.2f}"
    elif isinstance(answer, Choice):
        said = f"of two it chooses the {'right' if answer.place == 0 else 'other'} answer"
    elif isinstance(answer, Reward):
        said = f"it gives the right answer a reward of {answer.value:g}"
    else:
        said = "it writes texts"
    say(f"{scorer.name} works: {said}{model}")
    return 0
