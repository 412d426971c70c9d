"""Which options and which models fit which preference sets."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.benchmarks.items import ItemSet
from rmjudge.errors import UsageError
from rmjudge.judging.prompt import LETTERS
from rmjudge.options.run import RunOptions
from rmjudge.running.choosing import Chosen
from rmjudge.scorer import ConversationScorer, Scorer
from rmjudge.text import one_line
from rmjudge.vocabulary import CELLS


def check_items_run(
    chosen: Sequence[Chosen], sets: Sequence[ItemSet], options: RunOptions, *, has_tuples: bool
) -> None:
    """Refuse what only RM-Bench's tuples have, and models that cannot score a set's conversations.

    Raises:
        UsageError: an option or a model does not fit a set.
    """
    of_tuples = {
        "--domain": bool(options.domains),
        "--cells": options.cells != len(CELLS),
        "--order audit": options.pair_order == "audit",
        "--fail-under": bool(options.fail_under),
    }
    for flag, given in of_tuples.items():
        if given and not has_tuples:
            raise UsageError(f"{flag} is for RM-Bench's tuples, and {sets[0].name} has none")
    alone = {
        "--until": (options.until is not None, "stops by the interval of RM-Bench's tuples"),
        "--until-decided": (options.until_decided, "stops by RM-Bench's tuples"),
        "--fallback": (options.fallback is not None, "scores RM-Bench's tuples that a model left"),
        "--junit": (options.junit is not None, "writes results on RM-Bench"),
        "--append": (options.append is not None, "writes results on RM-Bench"),
    }
    for flag, (given, what) in alone.items():
        if given:
            raise UsageError(f"{flag} {what} alone, not on {sets[0].name}: run the two apart")
    for one in sets:
        for item in chosen:
            _check_kind(one, item.scorer)
            if is_given_turns(item):
                _check_turns(one, item.scorer)


def _check_kind(items: ItemSet, scorer: Scorer) -> None:
    if items.descriptor.kind == "choose" and scorer.method == "pairwise":
        raise UsageError(
            f"{scorer.name}: {items.name} asks which of all responses is the best, and this judge "
            "compares two; give --method choice"
        )
    if items.descriptor.kind == "ties" and scorer.method != "pointwise":
        raise UsageError(
            f"{scorer.name}: {items.name} is scored by the margins between rewards; give a reward "
            "model, or a judge with --method pointwise"
        )
    if scorer.method == "choice":
        for item in items.without_ties():
            if (count := len(set(item.texts))) > len(LETTERS):
                raise UsageError(
                    f"{scorer.name}: {one_line(item.name)} of {items.name} has {count:,} "
                    f"responses, and a choice has {len(LETTERS)} letters; give --method pairwise "
                    "or pointwise"
                )


def _check_turns(items: ItemSet, scorer: Scorer) -> None:
    turns = (tuple(turn.role for turn in item.turns) for item in items if item.is_conversation)
    for roles in dict.fromkeys(turns):
        if why := _refused(scorer, roles):
            raise UsageError(
                f"{scorer.name}: {items.name} has items with messages of {', '.join(roles)} before "
                f"the response, and it cannot score these: {why}"
            )


def _refused(scorer: Scorer, roles: Sequence[str]) -> str:
    if isinstance(scorer, ConversationScorer):
        return scorer.refuses(roles)
    return "it is given one prompt and one response"


def is_given_turns(chosen: Chosen) -> bool:
    """Whether conversations go to it as messages: to reward models; judges read them written out.

    So do baselines, which count characters.
    """
    scorer = chosen.scorer
    is_baseline = scorer.name.startswith("baseline/")
    return scorer.method == "pointwise" and not chosen.is_judge and not is_baseline
