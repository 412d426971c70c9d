"""What is found in the page's runs, laid out section by section."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from rmjudge.render.commands.data import quality_sheets
from rmjudge.render.commands.leaderboard import leaderboard_sheet, standing_lines
from rmjudge.render.commands.readings import readings_sheet
from rmjudge.render.commands.style import style_sheets
from rmjudge.render.page.tables import Section, Table
from rmjudge.render.sheets import Sheet

if TYPE_CHECKING:
    from rmjudge.findings import Compared, Findings, StyleGroup
    from rmjudge.statistics.responses import Responses

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


def sections_of(
    found: Findings, builds: Mapping[str, Sequence[Sheet]] | None = None
) -> tuple[Section, ...]:
    """Lay out the comparison, what style is worth, the leaderboard, and other tools' numbers.

    `builds` tell how those data sets were made that `rmjudge build` wrote, by name.
    """
    sections: list[Section] = []
    if found.compared is not None:
        sections.append(_comparison(found.compared))
    elif found.lacking:
        sections.append(Section("compare", "Comparison", (_notes(*found.lacking),)))
    sections += _styles(found.groups or (), found.responses)
    if found.groups is not None and not found.groups:
        sections.append(Section("style", "What style is worth", (_notes(NO_TEXTS),)))
    if found.quality is not None:
        tables = _tables(quality_sheets(*found.quality))
        sections.append(Section("data", "The data's quality", tables, fold="whole"))
    for place, (name, sheets) in enumerate((builds or {}).items(), 1):
        title = f"How {name} was built"
        sections.append(Section(f"build-{place}", title, _tables(sheets), fold="whole"))
    return (*sections, _leaderboard(found), _readings(found))


def benchmarks_section(sheets: Sequence[Sheet]) -> Section:
    """The scorers on other benchmarks."""
    return Section("benchmarks", "Other benchmarks", _tables(sheets))


def _notes(*notes: str) -> Table:
    return Table("", (), (), notes)


def _tables(sheets: Sequence[Sheet]) -> tuple[Table, ...]:
    return tuple(map(Table.of_sheet, sheets))


def _comparison(compared: Compared) -> Section:
    many = len(compared.comparison.pairs) > UNFOLDED
    tables = _tables(compared.sheets(TOP))
    return Section("compare", "Comparison", tables, fold="rows" if many else "none")


def _styles(groups: Sequence[StyleGroup], responses: Sequence[Responses]) -> Iterator[Section]:
    for place, group in enumerate(groups):
        where = f" on {group.name}" if place or not group.everyone else ""
        anchor = f"style-{place + 1}" if place else "style"
        own = {style.name for style in group.styles}
        rated = [one for one in responses if one.name in own]
        tables = _tables(style_sheets([(group.name, group.styles)], rated))
        yield Section(anchor, f"What style is worth{where}", tables)


def _leaderboard(found: Findings) -> Section:
    """Where the runs stand among the published rows, or why they have no rank there."""
    entries = found.standing
    ranked = any(entry.is_run and entry.rank is not None for entry in entries)
    tables = [_notes(*standing_lines(entries), *([RANKS] if ranked else []))]
    if ranked:
        tables.append(Table.of_sheet(leaderboard_sheet(entries)))
    return Section("leaderboard", "Leaderboard", tuple(tables), fold="whole")


def _readings(found: Findings) -> Section:
    """The runs as other tools would count them, ours first, and why the numbers differ."""
    sheets = [readings_sheet(result, read, name) for name, result, read in found.readings]
    tables = (_notes(READINGS), *_tables(sheets))
    return Section("readings", "As other tools count", tables, fold="whole")
