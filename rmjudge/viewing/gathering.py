"""Runs gathered into one view: every tuple once, with an outcome for each scorer that saw it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from rmjudge.dataset import BenchTuple
from rmjudge.metrics.tallies import TIE, Credits
from rmjudge.plan import Scores
from rmjudge.render.rows import labels
from rmjudge.results import ScorerResult, TupleResult
from rmjudge.viewing.runs import ViewedRun
from rmjudge.viewing.statements import Statement, statements_of
from rmjudge.viewing.texts import Key, TextFinder
from rmjudge.vocabulary import Domain

UNKNOWN: Final = (None, None, None)

Identity: TypeAlias = tuple[Domain, int | str, tuple[str, ...]]
"""Domain, id and texts (or the data's digest): two data sets may use one id for two tuples."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one scorer made of a tuple: nine credits, and the six rewards if it gives rewards.

    `scorer` names who gave them where several scorers share a run.
    """

    credits: Credits
    chosen: Scores | None
    rejected: Scores | None
    scorer: str | None
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewedTuple:
    """A tuple; `item` holds its texts where they were found, `outcomes` follow the scorers."""

    id: int | str
    domain: Domain
    subset: str | None
    item: BenchTuple | None
    outcomes: tuple[Outcome | None, ...]

    @property
    def name(self) -> str:
        """The tuple's identity for people; an id alone is not unique across domains."""
        return f"{self.domain}/{self.id}"


@dataclass(frozen=True, slots=True)
class ViewedScorer:
    """A scorer by the name that the tables use, and its result."""

    name: str
    result: ScorerResult


@dataclass(frozen=True, slots=True)
class View:
    """Everything about some runs; `notes` say what could not be found, a line each.

    `data` holds the labels of the data sets.
    """

    scorers: tuple[ViewedScorer, ...]
    tuples: tuple[ViewedTuple, ...]
    data: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def results(self) -> list[ScorerResult]:
        """What the tables are made of."""
        return [scorer.result for scorer in self.scorers]


def gather(
    runs: Sequence[ViewedRun],
    *,
    only: Collection[Key] | None = None,
    data: Sequence[str] = (),
    cache_folder: Path | None = None,
    notice: Callable[[str], None] | None = None,
) -> View:
    """Gather what the runs made of their tuples, or of `only` some.

    `data` and `cache_folder` say where the texts and the answers are now, if they have moved.
    What cannot be found is in the view's notes.
    """
    names = labels([run.result for run in runs])
    finder = TextFinder(data, notice)
    notes: list[str] = []
    found: dict[Identity, dict[int, tuple[TupleResult, BenchTuple | None, Outcome]]] = {}
    for place, (name, run) in enumerate(zip(names, runs, strict=True)):
        results = [item for item in run.result.tuples if only is None or _key(item) in only]
        texts = finder.find(run)
        scored = [texts.items[_key(item)] for item in results if _key(item) in texts.items]
        said = statements_of(run, scored, cache_folder)
        notes += [f"{name}: no texts: {texts.lacking}"] if texts.lacking else []
        notes += [f"{name}: {texts.doubt}"] if texts.doubt else []
        notes += [f"{name}: no words: {said.lacking}"] if said.lacking else []
        for result in results:
            item = texts.items.get(_key(result))
            outcome = _outcome(result, said.statements.get(_key(result), ()))
            same = (*_key(result), _texts_of(item, run))
            found.setdefault(same, {})[place] = (result, item, outcome)
    return View(
        scorers=tuple(
            ViewedScorer(name, run.result) for name, run in zip(names, runs, strict=True)
        ),
        tuples=tuple(_viewed(by_scorer, len(runs)) for by_scorer in found.values()),
        data=tuple(dict.fromkeys(run.label for run in runs if run.label)),
        notes=tuple(notes),
    )


def _key(result: TupleResult) -> Key:
    return result.domain, result.id


def _texts_of(item: BenchTuple | None, run: ViewedRun) -> tuple[str, ...]:
    if item is None:
        return (run.digest or "",)
    return (item.prompt, *item.chosen, *item.rejected)


def _outcome(result: TupleResult, statements: tuple[Statement, ...]) -> Outcome:
    return Outcome(
        credits=_credits(result),
        chosen=result.score_chosen,
        rejected=result.score_rejected,
        scorer=result.scorer,
        statements=statements,
    )


def _credits(result: TupleResult) -> Credits:
    if result.matrix is not None:
        return result.matrix
    chosen, rejected = result.score_chosen or UNKNOWN, result.score_rejected or UNKNOWN
    return tuple(tuple(_beats(one, other) for other in rejected) for one in chosen)


def _beats(chosen: float | None, rejected: float | None) -> float | None:
    if chosen is None or rejected is None:
        return None
    return TIE if chosen == rejected else float(chosen > rejected)


def _viewed(
    by_scorer: Mapping[int, tuple[TupleResult, BenchTuple | None, Outcome]], scorers: int
) -> ViewedTuple:
    result, item, _ = next(iter(by_scorer.values()))
    return ViewedTuple(
        id=result.id,
        domain=result.domain,
        subset=result.subset,
        item=item,
        outcomes=tuple(
            by_scorer[place][2] if place in by_scorer else None for place in range(scorers)
        ),
    )
