"""What the page says of its runs beyond their own numbers, section by section."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.dataset import DataSet
from rmjudge.errors import UsageError
from rmjudge.leaderboard.published import published
from rmjudge.leaderboard.standing import stand
from rmjudge.readings.compute import read_as
from rmjudge.render.commands.compare import comparison_sheets
from rmjudge.render.commands.leaderboard import leaderboard_sheet, standing_lines
from rmjudge.render.commands.readings import readings_sheet
from rmjudge.render.commands.style import style_sheets
from rmjudge.render.page import Section, Table
from rmjudge.render.rows import about
from rmjudge.render.sheets import Sheet
from rmjudge.runs.comparable import comparable
from rmjudge.runs.stored import StoredRun
from rmjudge.runs.views import View, ViewedScorer
from rmjudge.statistics.baselines import BASELINES, baseline_of
from rmjudge.statistics.comparison import compare
from rmjudge.statistics.scored import Scored, TupleKey, common_reading, scored_of
from rmjudge.statistics.style import Style, lengths_of, style_of

TOP: Final = 15
"""Tuples of disagreement that the page lists; its browser finds the others."""
UNFOLDED: Final = 3
"""Pairs of scorers whose tables are open from the start."""

NO_TEXTS: Final = (
    "To tell what style is worth, and to draw correctness against verbosity, the texts are needed; "
    "the remarks at the top say why they were not found, and --data SOURCE says where they are."
)
RANKS: Final = (
    "Ranks are among the rows of the public leaderboard and the runs of this page, by the mean of "
    "the four domains. A row marked ! contradicts itself or its source, and a note says how."
)
READINGS: Final = (
    "Tools differ in what a tie and a failed call count, and in what is averaged, so that one and "
    "the same run has other numbers there. Each table begins with the numbers of this page."
)


@dataclass(frozen=True, slots=True)
class StyleGroup:
    """The style reports of a data set's scorers and baselines; `name` is the data's."""

    name: str
    styles: tuple[Style, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """The sections, and the style reports that one of them shows and a chart draws."""

    sections: tuple[Section, ...]
    groups: tuple[StyleGroup, ...] = ()


def findings(view: View, runs: Sequence[StoredRun]) -> Findings:
    """Compare, report what style is worth, find the published rows beside, and read as others."""
    if len({(viewed.domain, viewed.id) for viewed in view.tuples}) < len(view.tuples):
        note = "Not compared: the runs use one id for different texts. Give runs of the same data."
        apart = Section("compare", "Comparison", (Table("", (), (), (note,)),))
        return Findings((apart, leaderboard(view), readings(view)))
    # Rows that a fallback had a part in stand for some of the tuples, or for two scorers.
    scored = [
        scored_of(scorer.name, scorer.result)
        for scorer in view.scorers
        if scorer.result.metrics.shares is None
    ]
    sections: list[Section] = []
    if len(scored) > 1:
        sections.append(_comparison(view, runs))
    groups: list[StyleGroup] = []
    own = {scorer.name: scorer.result.metrics.scorer for scorer in view.scorers}
    for place, data in enumerate(_data_sets(view, scored)):
        where = f" on {data.name}" if place or len(data.scored) < len(scored) else ""
        anchor = f"style-{place + 1}" if place else "style"
        group = StyleGroup(data.name, _styles(data, own))
        groups.append(group)
        tables = _tables(style_sheets([(group.name, group.styles)]))
        sections.append(Section(anchor, f"What style is worth{where}", tables))
    if scored and not groups:
        sections.append(Section("style", "What style is worth", (Table("", (), (), (NO_TEXTS,)),)))
    return Findings((*sections, leaderboard(view), readings(view)), tuple(groups))


def _tables(sheets: Sequence[Sheet]) -> tuple[Table, ...]:
    return tuple(map(Table.of_sheet, sheets))


def _comparison(view: View, runs: Sequence[StoredRun]) -> Section:
    whole = [run for run in runs if run.result.metrics.shares is None]
    kept, left = comparable(whole)
    there = {run.folder for run in kept}
    members = [scorer for scorer in view.scorers if scorer.result.folder in there]
    tables = _or_reason(lambda: _compared(members, left))
    many = len(members) * (len(members) - 1) // 2 > UNFOLDED
    return Section("compare", "Comparison", tables, fold="rows" if many else "none")


def _or_reason(make: Callable[[], list[Sheet]]) -> tuple[Table, ...]:
    try:
        return _tables(make())
    except UsageError as error:
        return _tables([Sheet("", notes=(f"Nothing to show: {error}",))])


def _compared(members: Sequence[ViewedScorer], left: Sequence[str]) -> list[Sheet]:
    if len(members) < 2:
        return [Sheet("", notes=tuple(left))]
    scored = [scored_of(scorer.name, scorer.result) for scorer in members]
    found = compare(scored, common_reading(item.method for item in scored))
    return comparison_sheets(found, TOP, [about(scorer.result) for scorer in members], left)


@dataclass(frozen=True, slots=True)
class _Scored:
    """A data set and who scored it, on the tuples whose texts are known."""

    data: DataSet
    scored: tuple[Scored, ...]

    @property
    def name(self) -> str:
        return f"{'+'.join(self.data.domains)}, {len(self.data):,} tuples"


def _data_sets(view: View, scored: Sequence[Scored]) -> list[_Scored]:
    """Put scorers of the same tuples together: figures of other data do not stand beside theirs."""
    items = {(v.domain, v.id): v.item for v in view.tuples if v.item}
    together: dict[frozenset[TupleKey], list[Scored]] = {}
    for item in scored:
        known = {key: value for key, value in item.credits.items() if key in items}
        if known:
            together.setdefault(frozenset(known), []).append(Scored(item.name, item.method, known))
    return [
        _Scored(DataSet("", tuple(items[key] for key in items if key in keys)), tuple(members))
        for keys, members in together.items()
    ]


def _styles(those: _Scored, own: Mapping[str, str]) -> tuple[Style, ...]:
    """Report a data set's scorers, beside the baselines on it; `own` holds their own names."""
    lengths = {(item.domain, item.id): lengths_of(item) for item in those.data}
    named = {own[item.name] for item in those.scored}
    beside = [baseline_of(kind, those.data) for kind in BASELINES]
    everyone = [*those.scored, *(item for item in beside if item.name not in named)]
    reading = common_reading(item.method for item in those.scored)
    return tuple(style_of(item, lengths, reading) for item in everyone)


def leaderboard(view: View) -> Section:
    """Where the runs stand among the published rows, or why they have no rank there."""
    entries = stand(published(), [(scorer.name, scorer.result.metrics) for scorer in view.scorers])
    ranked = any(entry.is_run and entry.rank is not None for entry in entries)
    notes = (*standing_lines(entries), *([RANKS] if ranked else []))
    tables = [Table("", (), (), notes)]
    if ranked:
        tables.append(Table.of_sheet(leaderboard_sheet(entries)))
    return Section("leaderboard", "Leaderboard", tuple(tables), fold="whole")


def readings(view: View) -> Section:
    """The runs as other tools would count them, ours first, and why the numbers differ."""
    told = Table("", (), (), (READINGS,))
    return Section(
        "readings",
        "As other tools count",
        (
            told,
            *(
                Table.of_sheet(readings_sheet(scorer.result, read_as(scorer.result), scorer.name))
                for scorer in view.scorers
            ),
        ),
        fold="whole",
    )
