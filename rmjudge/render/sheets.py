"""Tables that a terminal and Markdown show alike: titles, rows of texts, notes.

Everything here but names and the sign of plus and minus is ASCII, so that it reads the same in
any terminal.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from rmjudge.metrics.report import Interval
from rmjudge.render.documents import pipe_table
from rmjudge.render.figures import ASCII, UNICODE, known
from rmjudge.render.text import cell_width, clean, csv_cell, markdown_cell
from rmjudge.vocabulary import DOMAINS, Domain

NO_DATA: Final = "-"
DECIMALS: Final = 9
"""Of figures in CSV: what is smaller is the noise of adding up."""
VERY_WIDE: Final = 10_000
"""Columns in which every table fits, to measure it."""

Words: TypeAlias = Callable[..., Text]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table: `header` names its columns, the first of which is text, the others figures.

    `notes` are sentences below it. A sheet without a header is its title and its notes.
    """

    title: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    notes: tuple[str, ...] = ()


class _OnConsole:
    """Sheets that are drawn when their console is known: one without UTF-8 gets ASCII signs."""

    def __init__(self, sheets: Sequence[Sheet]) -> None:
        self._sheets = sheets

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        glyphs = UNICODE if options.encoding.startswith("utf") else ASCII

        def text(words: str, style: str = "") -> Text:
            shown = clean(words).replace(UNICODE.plus_minus, glyphs.plus_minus)
            return Text(shown, style=style, overflow="fold")

        for sheet in self._sheets:
            yield text(sheet.title, "bold")
            if sheet.header:
                table = _table(sheet, text)
                fits = (
                    console.measure(table, options=options.update(width=VERY_WIDE)).maximum
                    <= options.max_width
                )
                yield table if fits else _blocks(sheet, text)
            yield from map(text, sheet.notes)
            yield Text()


def sheets_renderable(sheets: Sequence[Sheet]) -> RenderableType:
    """Draw the sheets one below the other."""
    return _OnConsole(sheets)


def _table(sheet: Sheet, text: Words) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for number, name in enumerate(sheet.header):
        table.add_column(text(name), justify="right" if number else "left", no_wrap=True)
    for row in sheet.rows:
        table.add_row(*map(text, row))
    return table


def _blocks(sheet: Sheet, text: Words) -> Group:
    """Draw a block for each row, where the table would have to cut figures."""
    width = max(map(cell_width, sheet.header[1:]), default=0)
    lines: list[RenderableType] = []
    for row in sheet.rows:
        lines.append(text(row[0], "bold"))
        lines += [
            text(f"  {name:<{width}}  {figure}")
            for name, figure in zip(sheet.header[1:], row[1:], strict=True)
        ]
    return Group(*lines)


def sheets_markdown(sheets: Sequence[Sheet]) -> str:
    """Write the sheets as headings, pipe tables and paragraphs."""
    parts: list[str] = []
    for sheet in sheets:
        parts.append(f"### {markdown_cell(sheet.title)}")
        if sheet.header:
            body = [[markdown_cell(text) for text in row] for row in sheet.rows]
            parts.append(pipe_table([markdown_cell(name) for name in sheet.header], body))
        parts += [markdown_cell(note) for note in sheet.notes]
    return "\n\n".join(parts) + "\n"


def rows_csv(header: Sequence[str], rows: Iterable[Sequence[str | float | bool | None]]) -> str:
    """Write tidy rows; numbers with nine decimals, an empty field where there is none."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow(map(_csv_field, row))
    return stream.getvalue()


def _csv_field(value: str | float | bool | None) -> str:
    match value:
        case str():
            return csv_cell(clean(value))
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case _:
            number = known(value)
            return "" if number is None else f"{round(number, DECIMALS) + 0.0:.9g}"


def precise(number: float | None) -> str:
    """Write a figure that is never rounded to nothing, such as a p-value, for `rows_csv`."""
    value = known(number)
    return "" if value is None else f"{value:.{DECIMALS}g}"


def points(fraction: float | None) -> str:
    """Write a difference of fractions in percentage points, with its sign."""
    number = known(fraction)
    return NO_DATA if number is None else f"{round(number * 100, 1) + 0.0:+.1f}"


def signed(value: float | None) -> str:
    """Write a coefficient with its sign and two decimals."""
    number = known(value)
    return NO_DATA if number is None else f"{round(number, 2) + 0.0:+.2f}"


def share(fraction: float | None) -> str:
    """Write a fraction in percent."""
    number = known(fraction)
    return NO_DATA if number is None else f"{number * 100:.1f}"


def chance(p_value: float | None) -> str:
    """Write a p-value with three decimals; never as 0."""
    number = known(p_value)
    if number is None:
        return NO_DATA
    return "<0.001" if number < 0.001 else f"{number:.3f}"


def scope(domain: Domain | None, domains: Sequence[Domain]) -> str:
    """Name a domain, or what an average is over: `all` only where it is all four."""
    if domain is not None:
        return domain
    return "all" if len(domains) == len(DOMAINS) else "+".join(domains)


def points_range(interval: Interval | None) -> str:
    """Write an interval of percentage points."""
    return NO_DATA if interval is None else f"{_bare(interval.low)} to {_bare(interval.high)}"


def _bare(fraction: float) -> str:
    return points(fraction).removeprefix("+")


def signed_half(value: float | None, interval: Interval | None) -> str:
    """Write a coefficient and half its interval, which lies evenly around it."""
    if interval is None:
        return signed(value)
    return f"{signed(value)} {UNICODE.plus_minus}{(interval.high - interval.low) / 2:.2f}"


def signed_range(interval: Interval | None) -> str:
    """Write an interval of a coefficient."""
    return NO_DATA if interval is None else f"{signed(interval.low)} to {signed(interval.high)}"
