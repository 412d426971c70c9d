"""The single votes of a finished run, found in the answer cache: what `--votes` has bought."""

from __future__ import annotations

from rmjudge.cache import inspect
from rmjudge.calls import Verdict
from rmjudge.errors import StorageStopped, UsageError
from rmjudge.metrics.tallies import VotedCells
from rmjudge.planning.plan import PairwisePlan
from rmjudge.runs.statements import ADVICE
from rmjudge.runs.stored import StoredRun, call_keys
from rmjudge.vocabulary import CELLS, TupleKey


def votes_of(run: StoredRun) -> dict[TupleKey, VotedCells]:
    """For each tuple the credits of the chosen, vote by vote, in each order of each cell.

    Raises:
        UsageError: there is one vote, or it is no run of verdicts on pairs, or its texts or its
            answers are not found.
    """
    if run.result.metrics.method == "pointwise":
        raise UsageError(
            f"{run.folder}: it scored each response by itself; only verdicts on pairs can be held "
            "against their repetition"
        )
    if run.record.votes < 2:
        raise UsageError(f"{run.folder}: was asked once; run it with --votes 2 or more")
    if run.result.metrics.design.cells != len(CELLS):
        raise UsageError(
            f"{run.folder}: asked only some cells of each tuple, and the noise of an accuracy is "
            "that of all nine: run it with --cells 9"
        )
    asked = run.asked
    try:
        folder = inspect.require(asked.cache_folder)
        replies = inspect.replies(folder, asked.identity, asked.calls)
    except (UsageError, StorageStopped) as error:
        raise UsageError(f"{run.folder}: its votes are in the cache: {error}; {ADVICE}") from error
    found: dict[TupleKey, VotedCells] = {}
    for plan in asked.plans:
        if not isinstance(plan, PairwisePlan):
            continue
        keys = call_keys(plan)
        counted = 1 if plan.order == "audit" else 2
        found[plan.item.key] = tuple(
            tuple(
                tuple(
                    answer.first if question.chosen_first else 1.0 - answer.first
                    for call in question.calls
                    if keys[call] in replies
                    and isinstance(answer := replies[keys[call]].answer, Verdict)
                )
                for question in (plan.questions[i][j] or ())[:counted]
            )
            for i, j in CELLS
        )
    if not any(votes for cells in found.values() for cell in cells for votes in cell):
        raise UsageError(f"{run.folder}: {asked.cache_folder} holds none of its votes; {ADVICE}")
    return found
