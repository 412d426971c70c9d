"""The page of `rmjudge report --html` and `rmjudge view`: collects what it shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from rmjudge.building.folder import builds_among
from rmjudge.cli.console import say
from rmjudge.errors import UsageError
from rmjudge.findings import findings
from rmjudge.render.commands.benchmark_page import page_sheets
from rmjudge.render.commands.build import build_sheets
from rmjudge.render.page import (
    Live,
    Table,
    benchmarks_section,
    scatter_of,
    sections_of,
    tables_page,
    to_html,
)
from rmjudge.render.sheets import Sheet
from rmjudge.runs.comparable import distinct
from rmjudge.runs.items import part_results, read_items
from rmjudge.runs.stored import StoredRun, read_runs
from rmjudge.runs.views import gather
from rmjudge.runs.writing import write_text
from rmjudge.text import label

PAGES: Final = (".html", ".htm")


def write_page(
    folders: Sequence[Path], path: Path, data: Sequence[str], cache_folder: Path | None
) -> None:
    """Gather, say what is missing, and write the file as a whole or not at all.

    Raises:
        UsageError: it is no file that a page could be, or cannot be written.
    """
    check_page(path)
    text = page_of(folders, data, cache_folder, notice=say)
    write_text(path, text)
    say(f"page: {path} ({len(text) / 2**20:.1f} MiB)")


def page_of(
    folders: Sequence[Path],
    data: Sequence[str],
    cache_folder: Path | None,
    *,
    notice: Callable[[str], None],
    live: Live | None = None,
) -> str:
    """Gather what the page shows and lay it out; `notice` is told what is missing.

    Raises:
        UsageError: a folder holds no run, or a file is damaged.
    """
    of_tuples, of_items = part_results(folders)
    items = [read_items(folder) for folder in of_items]
    if not of_tuples:
        tables = list(map(Table.of_sheet, page_sheets((), items, data)))
        return tables_page("One scorer, several benchmarks", tables, live)
    found = read_runs(of_tuples, data=data, cache_folder=cache_folder, notice=notice)
    runs, left = distinct(found)
    view = gather(runs, notes=left)
    for note in view.notes:
        notice(f"warning: {note}")
    about = findings(view, runs)
    scatters = [scatter_of(group.name, group.styles) for group in about.groups or ()]
    sections = sections_of(about, _builds(runs, notice))
    if items:
        sheets = page_sheets([run.result for run in runs], items, data)
        sections = (benchmarks_section(sheets), *sections)
    return to_html(view, sections, scatters, about.responses, live)


def _builds(runs: Sequence[StoredRun], notice: Callable[[str], None]) -> dict[str, Sequence[Sheet]]:
    """How the sets that the runs scored were built, as those builds are now."""
    sources = dict.fromkeys(source for run in runs for source in run.sources)
    try:
        found = builds_among(sources)
    except UsageError as error:
        notice(f"warning: {error}")
        return {}
    return {label(folder.resolve().name): build_sheets(one) for folder, one in found.items()}


def check_page(path: Path) -> None:
    """Refuse what cannot be written, or is hardly meant, before anything is read."""
    if path.is_dir():
        raise UsageError(f"--html {path} is a folder; name the file to write, such as report.html")
    if path.suffix.lower() not in PAGES:
        raise UsageError(f"--html {path}: the page's name ends in .html, such as report.html")
    if not path.parent.is_dir():
        raise UsageError(f"--html {path}: there is no folder {path.parent}; make it first")
