"""`rmjudge providers`: what there is, and whether a model answers."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from rmjudge.calls import Call, CompareCall, Failure, Outcome, RewardCall, Unscored, Verdict
from rmjudge.cli.console import print_json, print_text, say, tables
from rmjudge.errors import StopRun
from rmjudge.options import RunOptions
from rmjudge.providers.listing import listings
from rmjudge.render.commands.providers import providers_markdown, providers_sheet, providers_to_json
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.running.choosing import choose
from rmjudge.scorer import Scorer

PROMPT = "What is the capital of France?"
RIGHT = "The capital of France is Paris."
WRONG = "The capital of France is Lyon."


def providers(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """List providers, or make one tiny call with `--check`."""
    if arguments.check:
        return asyncio.run(_check(arguments))
    found = list(listings())
    if arguments.json:
        print_json(providers_to_json(found))
    elif arguments.format == "markdown":
        print_text(providers_markdown(found))
    else:
        tables().print(sheets_renderable([providers_sheet(found)]))
    return 0


async def _check(arguments: argparse.Namespace) -> int:
    options = RunOptions(base_url=arguments.base_url, deadline=60.0, try_once=True)
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
    if scorer.method == "pairwise":
        return CompareCall(PROMPT, RIGHT, WRONG)
    return RewardCall(PROMPT, RIGHT)


def _tell(scorer: Scorer, outcome: Outcome) -> int:
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
    else:
        said = f"it gives the right answer a reward of {answer.value:g}"
    say(f"{scorer.name} works: {said}{model}")
    return 0
