"""What is found in runs beyond their own numbers: all that the page shows of them, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rmjudge.dataset import DataSet
from rmjudge.errors import UsageError
from rmjudge.leaderboard.published import published
from rmjudge.leaderboard.standing import Entry, stand
from rmjudge.readings.compute import ToolNumbers, read_as
from rmjudge.runs.comparable import comparable
from rmjudge.runs.results import ScorerResult
from rmjudge.runs.stored import StoredRun
from rmjudge.runs.views import View
from rmjudge.statistics.baselines import BASELINES, baseline_of
from rmjudge.statistics.comparison import Comparison, compare
from rmjudge.statistics.scored import Scored, common_reading, scored_of
from rmjudge.statistics.style import Style, lengths_of, style_of
from rmjudge.vocabulary import TupleKey


@dataclass(frozen=True, slots=True)
class Compared:
    """The scorers held against each other, and what is left out, a sentence each.

    `found` is None where fewer than two are left; `lacking` says why where something else stood
    in the way.
    """

    results: tuple[ScorerResult, ...]
    left: tuple[str, ...]
    found: Comparison | None = None
    lacking: str = ""


@dataclass(frozen=True, slots=True)
class StyleGroup:
    """The style reports of a data set's scorers and baselines; `name` is the data's.

    `everyone` says whether all scorers of the runs are among them.
    """

    name: str
    styles: tuple[Style, ...]
    everyone: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """A comparison (None where nothing can be compared), style, rank, and other tools' numbers.

    `groups` is None where no scorer can have one, and empty where no texts were found. `readings`
    are each scorer's name, its result and what other tools make of it. Where runs mean different
    texts by one id, `same_id_for_other_texts`, nothing is compared.
    """

    compared: Compared | None
    groups: tuple[StyleGroup, ...] | None
    standing: tuple[Entry, ...]
    readings: tuple[tuple[str, ScorerResult, tuple[ToolNumbers, ...]], ...]
    same_id_for_other_texts: bool = False


def findings(view: View, runs: Sequence[StoredRun]) -> Findings:
    """Compare, report what style is worth, find the published rows beside, and read as others."""
    metrics = [(scorer.name, scorer.result.metrics) for scorer in view.scorers]
    standing = tuple(stand(published(), metrics))
    readings = tuple(
        (scorer.name, scorer.result, tuple(read_as(scorer.result))) for scorer in view.scorers
    )
    if len({viewed.key for viewed in view.tuples}) < len(view.tuples):
        return Findings(None, None, standing, readings, same_id_for_other_texts=True)
    # Rows that a fallback had a part in stand for some of the tuples, or for two scorers.
    scored = [
        scored_of(scorer.name, scorer.result)
        for scorer in view.scorers
        if scorer.result.metrics.shares is None
    ]
    compared = _compared(view, runs) if len(scored) > 1 else None
    groups = tuple(_groups(view, scored)) if scored else None
    return Findings(compared, groups, standing, readings)


def _compared(view: View, runs: Sequence[StoredRun]) -> Compared:
    kept, left = comparable([run for run in runs if run.result.metrics.shares is None])
    there = {run.folder for run in kept}
    members = [scorer for scorer in view.scorers if scorer.result.folder in there]
    results = tuple(scorer.result for scorer in members)
    if len(members) < 2:
        return Compared(results, tuple(left))
    scored = [scored_of(scorer.name, scorer.result) for scorer in members]
    try:
        found = compare(scored, common_reading(item.method for item in scored))
    except UsageError as error:
        return Compared(results, tuple(left), lacking=str(error))
    return Compared(results, tuple(left), found)


def _groups(view: View, scored: Sequence[Scored]) -> Iterator[StyleGroup]:
    """Put scorers of the same tuples together: figures of other data do not stand beside theirs."""
    own = {scorer.name: scorer.result.metrics.scorer for scorer in view.scorers}
    items = {viewed.key: viewed.item for viewed in view.tuples if viewed.item}
    together: dict[frozenset[TupleKey], list[Scored]] = {}
    for item in scored:
        known = {key: value for key, value in item.credits.items() if key in items}
        if known:
            together.setdefault(frozenset(known), []).append(Scored(item.name, item.method, known))
    for keys, members in together.items():
        data = DataSet("", tuple(items[key] for key in items if key in keys))
        yield StyleGroup(
            name=f"{'+'.join(data.domains)}, {len(data):,} tuples",
            styles=_styles(data, members, own),
            everyone=len(members) == len(scored),
        )


def _styles(data: DataSet, scored: Sequence[Scored], own: Mapping[str, str]) -> tuple[Style, ...]:
    """Report a data set's scorers, beside the baselines on it; `own` holds their own names."""
    lengths = {item.key: lengths_of(item) for item in data}
    named = {own[item.name] for item in scored}
    beside = [baseline_of(kind, data) for kind in BASELINES]
    everyone = [*scored, *(item for item in beside if item.name not in named)]
    reading = common_reading(item.method for item in scored)
    return tuple(style_of(item, lengths, reading) for item in everyone)
