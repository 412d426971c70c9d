"""The page of `rmjudge report --html`: what is known of the runs, and what statistics say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from rmjudge.cli.comparing import comparable
from rmjudge.cli.console import say
from rmjudge.cli.style import BASELINES, baseline_of
from rmjudge.dataset import DataSet
from rmjudge.errors import UsageError
from rmjudge.render.comparisons import comparison_sheets
from rmjudge.render.page import Section, to_html
from rmjudge.render.rows import about
from rmjudge.render.sheets import Sheet
from rmjudge.render.styles import style_sheets
from rmjudge.runfiles import write_text
from rmjudge.runtexts import StoredRun, read_runs
from rmjudge.statistics.comparison import compare
from rmjudge.statistics.scored import Scored, TupleKey, common_reading, scored_of
from rmjudge.statistics.style import lengths_of, style_of
from rmjudge.viewing import View, ViewedScorer, gather

PAGES: Final = (".html", ".htm")
TOP: Final = 15
"""Tuples of disagreement that the page lists; its browser finds the others."""
UNFOLDED: Final = 3
"""Pairs of scorers whose tables are open from the start."""


def write_page(
    folders: Sequence[str], path: Path, data: Sequence[str], cache_folder: Path | None
) -> None:
    """Gather, say what is missing, and write the file as a whole or not at all.

    Raises:
        UsageError: it is no file that a page could be, or cannot be written.
    """
    _check(path)
    runs = read_runs(folders)
    view = gather(runs, data=data, cache_folder=cache_folder, notice=say)
    for note in view.notes:
        say(f"warning: {note}")
    text = to_html(view, sections(view, runs))
    write_text(path, text)
    say(f"page: {path} ({len(text) / 2**20:.1f} MiB)")


def _check(path: Path) -> None:
    """Refuse what cannot be written, or is hardly meant, before anything is read."""
    if path.is_dir():
        raise UsageError(f"--html {path} is a folder; name the file to write, such as report.html")
    if path.suffix.lower() not in PAGES:
        raise UsageError(f"--html {path}: the page's name ends in .html, such as report.html")
    if not path.parent.is_dir():
        raise UsageError(f"--html {path}: there is no folder {path.parent}; make it first")


def sections(view: View, runs: Sequence[StoredRun]) -> list[Section]:
    """What statistics say of the runs: comparisons of two or more, and what style is worth."""
    found: list[Section] = []
    # Rows that a fallback had a part in stand for some of the tuples, or for two scorers.
    scored = [
        scored_of(scorer.name, scorer.result)
        for scorer in view.scorers
        if scorer.result.metrics.shares is None
    ]
    if len({(viewed.domain, viewed.id) for viewed in view.tuples}) < len(view.tuples):
        note = "Not compared: the runs use one id for different texts. Give runs of the same data."
        return [Section("compare", "Comparison", (Sheet(note),))]
    if len(scored) > 1:
        whole = [run for run in runs if run.result.metrics.shares is None]
        kept, left = comparable(whole)
        there = {run.folder for run in kept}
        members = [scorer for scorer in view.scorers if scorer.result.folder in there]
        tables = _or_reason(lambda: _compared(members, left))
        folded = len(members) * (len(members) - 1) // 2 > UNFOLDED
        found.append(Section("compare", "Comparison", tables, folded=folded))
    own = {scorer.name: scorer.result.metrics.scorer for scorer in view.scorers}
    for place, data in enumerate(_data_sets(view, scored)):
        tables = _or_reason(partial(_styles, data, own))
        where = f" on {data.name}" if place or len(data.scored) < len(scored) else ""
        anchor = f"style-{place + 1}" if place else "style"
        found.append(Section(anchor, f"What style is worth{where}", tables))
    return found


def _or_reason(make: Callable[[], list[Sheet]]) -> tuple[Sheet, ...]:
    try:
        return tuple(make())
    except UsageError as error:
        return (Sheet("", notes=(f"Nothing to show: {error}",)),)


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


def _styles(those: _Scored, own: Mapping[str, str]) -> list[Sheet]:
    """Report a data set's scorers, beside the baselines on it; `own` holds their own names."""
    lengths = {(item.domain, item.id): lengths_of(item) for item in those.data}
    named = {own[item.name] for item in those.scored}
    beside = [baseline_of(kind, those.data) for kind in BASELINES]
    everyone = [*those.scored, *(item for item in beside if item.name not in named)]
    reading = common_reading(item.method for item in those.scored)
    found = [style_of(item, lengths, reading) for item in everyone]
    return style_sheets([(those.name, found)])
