"""Runs gathered into one view: every tuple once, with an outcome for each scorer that saw it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from rmjudge.dataset import BenchTuple
from rmjudge.errors import UsageError
from rmjudge.metrics.tallies import Credits
from rmjudge.planning.plan import Scores
from rmjudge.runs.naming import labels
from rmjudge.runs.records import RunRecord
from rmjudge.runs.results import ScorerResult, TupleResult
from rmjudge.runs.statements import Statement, statements_of
from rmjudge.runs.stored import StoredRun
from rmjudge.vocabulary import Domain, TupleKey

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
        """The key as people write it: `chat/17`."""
        return f"{self.domain}/{self.id}"

    @property
    def key(self) -> TupleKey:
        """What it is found by; an id alone is not unique across domains."""
        return self.domain, self.id


@dataclass(frozen=True, slots=True)
class ViewedScorer:
    """A scorer by the name that the tables use, its result, and how its run was made."""

    name: str
    result: ScorerResult
    record: RunRecord


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
    runs: Sequence[StoredRun],
    *,
    only: Collection[TupleKey] | None = None,
    notes: Sequence[str] = (),
) -> View:
    """Gather what the runs made of their tuples, or of `only` some.

    What cannot be found is in the view's notes, after those given.
    """
    names = labels([run.result for run in runs])
    notes = list(notes)
    found: dict[Identity, dict[int, tuple[TupleResult, BenchTuple | None, Outcome]]] = {}
    lying = _Lying()
    # Runs that do not tell their data, such as imported ones, find their tuples among the others'.
    for place in sorted(range(len(runs)), key=lambda k: runs[k].record.digest is None):
        name, run = names[place], runs[place]
        results = [item for item in run.result.tuples if only is None or item.key in only]
        items, doubt = _items(run, lying)
        scored = [items[item.key] for item in results if item.key in items]
        said = statements_of(run, scored)
        notes += [f"{name}: {line}" for line in (doubt, said.lacking) if line]
        for result in results:
            item = items.get(result.key)
            outcome = _outcome(result, said.statements.get(result.key, ()))
            same = (*result.key, _texts_of(item, run))
            found.setdefault(same, {})[place] = (result, item, outcome)
            if item is not None:
                lying.add(item)
    return View(
        scorers=tuple(
            ViewedScorer(name, run.result, run.record)
            for name, run in zip(names, runs, strict=True)
        ),
        tuples=tuple(_viewed(by_scorer, len(runs)) for by_scorer in found.values()),
        data=tuple(dict.fromkeys(run.record.label for run in runs if run.record.label)),
        notes=tuple(notes),
    )


class _Lying:
    """The tuples found so far, by domain and id; two of one id and other texts are none."""

    def __init__(self) -> None:
        self._by_key: dict[TupleKey, BenchTuple | None] = {}

    def add(self, item: BenchTuple) -> None:
        known = self._by_key.setdefault(item.key, item)
        if known is not None and _seven(known) != _seven(item):
            self._by_key[item.key] = None

    def of(self, run: StoredRun) -> dict[TupleKey, BenchTuple]:
        """The run's tuples among them."""
        return {key: item for key in run.keys if (item := self._by_key.get(key)) is not None}


def _items(run: StoredRun, lying: _Lying) -> tuple[dict[TupleKey, BenchTuple], str]:
    """A run's texts, and what is to be said of them."""
    by_id = "its data is not recorded; texts are matched by id alone"
    try:
        data = run.texts
    except UsageError as error:
        untold = run.record.digest is None and not run.record.sources
        items = lying.of(run) if untold else {}
        return items, by_id if items and len(items) == len(run.keys) else f"no texts: {error}"
    return {item.key: item for item in data}, "" if run.record.digest else by_id


def _texts_of(item: BenchTuple | None, run: StoredRun) -> tuple[str, ...]:
    if item is None:
        return (run.record.digest or "",)
    return _seven(item)


def _seven(item: BenchTuple) -> tuple[str, ...]:
    return (item.prompt, *item.chosen, *item.rejected)


def _outcome(result: TupleResult, statements: tuple[Statement, ...]) -> Outcome:
    return Outcome(
        credits=result.credits,
        chosen=result.score_chosen,
        rejected=result.score_rejected,
        scorer=result.scorer,
        statements=statements,
    )


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
