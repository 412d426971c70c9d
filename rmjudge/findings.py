"""What finished runs show together, as data: for the command line, for Python and for the page."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from rmjudge.dataset import DataSet, Summary, summarise
from rmjudge.errors import UsageError
from rmjudge.leaderboard.published import published
from rmjudge.leaderboard.standing import Entry, stand
from rmjudge.metrics.report import Position, Reading
from rmjudge.readings.compute import ToolNumbers, read_as
from rmjudge.runs.attributes import described
from rmjudge.runs.comparable import comparable, distinct
from rmjudge.runs.naming import about, labels
from rmjudge.runs.pairs import PreferenceSet
from rmjudge.runs.results import ScorerResult
from rmjudge.runs.stored import StoredRun, check_same_texts
from rmjudge.runs.views import View
from rmjudge.statistics import comparison
from rmjudge.statistics.baselines import BASELINES, baseline_of
from rmjudge.statistics.comparison import Comparison
from rmjudge.statistics.control import LEAST, Controlled, control
from rmjudge.statistics.implicit import SetRow, compare_sets
from rmjudge.statistics.looks import Looks, looks_of
from rmjudge.statistics.pairing import share
from rmjudge.statistics.responses import Responses, responses_of
from rmjudge.statistics.retest import Noise, noise_of
from rmjudge.statistics.scored import Scored, common_reading, scored_of
from rmjudge.statistics.style import Style, lengths_of, style_of
from rmjudge.text import one_line
from rmjudge.vocabulary import Part, TupleKey

if TYPE_CHECKING:
    from rmjudge.render.sheets import Sheet

TOP: Final = 10
"""Tuples of disagreement that are shown unless another number is asked for."""
OTHER_TEXTS: Final = (
    "Not compared: the runs use one id for different texts. Give runs of the same data."
)


@dataclass(frozen=True, slots=True)
class Compared:
    """Scorers compared on the tuples that all of them scored: what `rmjudge compare` shows.

    `results` are the scorers' own, in the order of `comparison.scorers`; `left_out` says which runs
    were not compared and why, `warnings` what cannot be known of the others. `noises` has
    the noise of each judge that was asked several times (`statistics.retest`), on these tuples.
    """

    comparison: Comparison
    results: tuple[ScorerResult, ...]
    left_out: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    noises: Mapping[str, Mapping[Part, Noise]] = field(default_factory=dict)

    def sheets(self, top: int = TOP) -> list[Sheet]:
        """The tables, with this many tuples of disagreement."""
        from rmjudge.render.commands.compare import comparison_sheets

        described = [about(result) for result in self.results]
        sheets = comparison_sheets(self.comparison, top, described, self.left_out)
        if self.noises:
            from rmjudge.render.commands.retest import floor_sheet

            sheets.append(floor_sheet(self.comparison.pairs, self.noises))
        return sheets

    def __rich__(self) -> object:
        """The tables of `rmjudge compare`."""
        from rmjudge.render.terminal.listings import sheets_renderable

        return sheets_renderable(self.sheets())

    def _repr_html_(self) -> str:
        """The same tables, for a notebook."""
        from rmjudge.render.notebook import sheets_html

        return sheets_html(self.sheets())


@dataclass(frozen=True, slots=True)
class StyleReports:
    """What style is worth to scorers: what `rmjudge style` shows.

    `groups` has the reports of each data set's scorers, the baselines after them, under its name;
    `left_out` says which runs have none and why. `responses` are those of the runs whose reward
    model gave correctness and verbosity as attributes.
    """

    groups: tuple[tuple[str, tuple[Style, ...]], ...]
    left_out: tuple[str, ...] = ()
    responses: tuple[Responses, ...] = ()

    def __iter__(self) -> Iterator[Style]:
        """Every report, in order."""
        return (style for _, styles in self.groups for style in styles)

    def __rich__(self) -> object:
        """The tables of `rmjudge style`."""
        from rmjudge.render.commands.style import style_sheets
        from rmjudge.render.terminal.listings import sheets_renderable

        return sheets_renderable(style_sheets(self.groups, self.responses))

    def _repr_html_(self) -> str:
        """The same tables, for a notebook."""
        from rmjudge.render.commands.style import style_sheets
        from rmjudge.render.notebook import sheets_html

        return sheets_html(style_sheets(self.groups))


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
    """What a page shows beyond the runs' own numbers.

    `compared` is None where nothing can be compared; `lacking` then says why, a sentence each, and
    is empty where there is one scorer only. `groups` is None where no scorer can have a style
    report, and empty where no texts were found. `standing` holds the published rows with the runs
    among them; `readings` are each scorer's name, its result and what other tools make of it.
    `responses` as in `StyleReports`. `quality` is of the tuples whose texts were found.
    """

    compared: Compared | None
    lacking: tuple[str, ...]
    groups: tuple[StyleGroup, ...] | None
    standing: tuple[Entry, ...]
    readings: tuple[tuple[str, ScorerResult, tuple[ToolNumbers, ...]], ...]
    responses: tuple[Responses, ...] = ()
    quality: tuple[Summary, Looks] | None = None


def compare(
    runs: Sequence[StoredRun],
    *,
    reading: Reading | None = None,
    baselines: bool = False,
) -> Compared:
    """Compare every two of the scorers.

    `reading` is what a tie is worth: by default strict among reward models, half_credit as soon
    as a judge is compared.

    Raises:
        UsageError: there is no second scorer, or the runs scored different texts.
    """
    if len(runs) < 2:
        raise UsageError(
            f"{runs[0].folder} is the only scorer; name another run to compare it with"
        )
    runs, left = comparable(runs, baselines=baselines)
    if len(runs) < 2:
        raise UsageError(f"{left[0]} Name another run to compare it with")
    warnings = check_same_texts(runs)
    results = tuple(run.result for run in runs)
    scored = [
        scored_of(name, result) for name, result in zip(labels(results), results, strict=True)
    ]
    reading = reading or common_reading(item.method for item in scored)
    found = comparison.compare(scored, reading)
    keys = {key for own in share(scored, reading).tuples.values() for key in own}
    noises = dict(_noises(scored, runs, keys, warnings))
    return Compared(found, results, tuple(left), tuple(warnings), noises)


def _noises(
    scored: Sequence[Scored],
    runs: Sequence[StoredRun],
    keys: AbstractSet[TupleKey],
    warnings: list[str],
) -> Iterator[tuple[str, dict[Part, Noise]]]:
    """The noise of each judge with several votes; a warning where its votes are not found."""
    for item, run in zip(scored, runs, strict=True):
        if run.record.votes < 2 or item.method == "pointwise":
            continue
        from rmjudge.runs.votes import votes_of

        try:
            votes = votes_of(run)
        except UsageError as error:
            warnings.append(f"the noise of {item.name} is not known: {error}")
            continue
        yield item.name, noise_of({key: own for key, own in votes.items() if key in keys})


def compare_with(
    runs: Sequence[StoredRun], cheap: StoredRun, reading: Reading | None = None
) -> tuple[Controlled, list[str]]:
    """Estimate what one scorer, or two, would show on all tuples of a cheap one; return warnings.

    `reading` as in `compare`, of the runs and the cheap one.

    Raises:
        UsageError: the runs cannot be held against each other, or go along with the cheap one too
            little for their averages to gain anything.
    """
    if len(runs) > 2:
        raise UsageError(f"--with takes one RUN or two, not {len(runs)}: {_folders(runs)}")
    everyone = [*runs, cheap]
    warnings = check_same_texts(everyone)
    results = [run.result for run in everyone]
    *scored, near = (
        scored_of(name, result) for name, result in zip(labels(results), results, strict=True)
    )
    found = control(
        scored, near, reading or common_reading(item.method for item in (*scored, near))
    )
    averages = {" - ".join(names): items[-1] for names, items in found.estimates.items()}
    sizes = {name: item.correlation for name, item in averages.items()}
    if not any(size is not None and abs(size) >= LEAST for size in sizes.values()):
        told = ", ".join(
            f"{name} {'none' if size is None else f'{size:+.2f}'}" for name, size in sizes.items()
        )
        raise UsageError(
            f"{near.name} is refused as a control variate: the correlation of the tuples' averages "
            f"is under {LEAST} ({told}), so it would add error. Compare without --with, or "
            "with a scorer that goes along with these"
        )
    if untold := [run for run in runs if run.result.metrics.design.until is None]:
        warnings.append(
            f"{_folders(untold)}: the tuples were not asked in an order by hash (--until): the "
            "estimate is right only if those that were asked are like the others; --limit takes "
            "the first"
        )
    return found, warnings


def _folders(runs: Sequence[StoredRun]) -> str:
    return ", ".join(one_line(str(run.folder)) for run in runs)


def compare_table(
    sets: Sequence[PreferenceSet], reading: Reading | None = None
) -> tuple[tuple[SetRow, ...], list[str]]:
    """Compare the rewards of each preference set; return warnings, too.

    `reading` is what a tie is worth: by default as `compare` reads each set's runs.

    Raises:
        UsageError: the runs of a set scored different texts, or none in common.
    """
    warnings: list[str] = []
    scored, readings = [], []
    for one in sets:
        warnings += check_same_texts(list(one.runs.values()))
        found = [scored_of(kind, run.result) for kind, run in one.runs.items()]
        scored.append((one.name, found))
        readings.append(reading or common_reading(item.method for item in found))
    return compare_sets(scored, readings), warnings


def style(
    runs: Sequence[StoredRun],
    *,
    reading: Reading | None = None,
    attributes: Mapping[str, str] | None = None,
) -> StyleReports:
    """Report what style is worth to each scorer, beside the baselines on the same texts.

    `attributes` says which of a reward model's attributes are its correctness and its verbosity;
    without it those are found that are called so.

    Raises:
        UsageError: the texts cannot be found, or are not what a run scored; or no run has the
            `attributes`.
    """
    runs, left = distinct(runs)
    reading = reading or common_reading(run.result.metrics.method for run in runs)
    groups: dict[str, tuple[DataSet, dict[str, ScorerResult]]] = {}
    for name, run in zip(labels([run.result for run in runs]), runs, strict=True):
        data = run.texts
        groups.setdefault(data.digest, (data, {}))[1][name] = run.result
    reports = []
    for data, results in groups.values():
        scored = [scored_of(name, result) for name, result in results.items()]
        own = {result.metrics.scorer for result in results.values()}
        positions = {name: result.metrics.position for name, result in results.items()}
        reports.append((_title(data), _styles(data, scored, own, reading, positions)))
    return StyleReports(tuple(reports), tuple(left), _responses(runs, attributes))


def _responses(
    runs: Sequence[StoredRun], attributes: Mapping[str, str] | None = None
) -> tuple[Responses, ...]:
    """The responses of every run whose answers say how correct and how verbose they are."""
    found, lacking = [], []
    for name, run in zip(labels([run.result for run in runs]), runs, strict=True):
        try:
            found.append(responses_of(name, described(run), attributes))
        except UsageError as error:
            lacking.append(str(error))
    if attributes is not None and not any(found):
        raise UsageError("; ".join(lacking))
    return tuple(one for one in found if one is not None)


def _title(data: DataSet) -> str:
    return f"{'+'.join(data.domains)}, {len(data):,} tuples"


def _styles(
    data: DataSet,
    scored: Sequence[Scored],
    own: Container[str],
    reading: Reading,
    positions: Mapping[str, Position | None],
) -> tuple[Style, ...]:
    """Report scorers of the data, then the baselines that are not among their `own` names."""
    lengths = {item.key: lengths_of(item) for item in data}
    beside = [baseline_of(kind, data) for kind in BASELINES]
    everyone = [*scored, *(item for item in beside if item.name not in own)]
    return tuple(style_of(item, lengths, reading, positions.get(item.name)) for item in everyone)


def findings(view: View, runs: Sequence[StoredRun]) -> Findings:
    """Compare, report what style is worth, find the published rows beside, and read as others."""
    metrics = [(scorer.name, scorer.result.metrics) for scorer in view.scorers]
    standing = tuple(stand(published(), metrics))
    readings = tuple(
        (scorer.name, scorer.result, tuple(read_as(scorer.result))) for scorer in view.scorers
    )
    responses = _responses(runs)
    if len({viewed.key for viewed in view.tuples}) < len(view.tuples):
        return Findings(None, (OTHER_TEXTS,), None, standing, readings, responses)
    # A row that a fallback had a part in holds some of the tuples only, or two scorers.
    scored = [
        scored_of(scorer.name, scorer.result)
        for scorer in view.scorers
        if scorer.result.metrics.shares is None
    ]
    compared, lacking = _compared(view, runs) if len(scored) > 1 else (None, ())
    groups = tuple(_groups(view, scored)) if scored else None
    return Findings(compared, lacking, groups, standing, readings, responses, _quality(view))


def _quality(view: View) -> tuple[Summary, Looks] | None:
    """What is told of the tuples themselves; None where no texts were found."""
    items = tuple(viewed.item for viewed in view.tuples if viewed.item is not None)
    if not items:
        return None
    data = DataSet("", items)
    return summarise(data), looks_of(data)


def _compared(
    view: View, runs: Sequence[StoredRun]
) -> tuple[Compared, tuple[()]] | tuple[None, tuple[str, ...]]:
    """The comparison of the runs under their names on the page, or why there is none."""
    kept, left = comparable([run for run in runs if run.result.metrics.shares is None])
    there = {run.folder for run in kept}
    members = [scorer for scorer in view.scorers if scorer.result.folder in there]
    if len(members) < 2:
        return None, tuple(left)
    scored = [scored_of(scorer.name, scorer.result) for scorer in members]
    try:
        found = comparison.compare(scored, common_reading(item.method for item in scored))
    except UsageError as error:
        return None, (f"Nothing to show: {error}",)
    return Compared(found, tuple(scorer.result for scorer in members), tuple(left)), ()


def _groups(view: View, scored: Sequence[Scored]) -> Iterator[StyleGroup]:
    """Put scorers of the same tuples together: figures of other data are not put beside theirs."""
    own = {scorer.name: scorer.result.metrics.scorer for scorer in view.scorers}
    items = {viewed.key: viewed.item for viewed in view.tuples if viewed.item}
    together: dict[frozenset[TupleKey], list[Scored]] = {}
    for item in scored:
        known = {key: value for key, value in item.credits.items() if key in items}
        if known:
            together.setdefault(frozenset(known), []).append(replace(item, credits=known))
    for keys, members in together.items():
        data = DataSet("", tuple(items[key] for key in items if key in keys))
        named = {own[item.name] for item in members}
        reading = common_reading(item.method for item in members)
        yield StyleGroup(
            name=_title(data),
            styles=_styles(data, members, named, reading, {}),
            everyone=len(members) == len(scored),
        )
