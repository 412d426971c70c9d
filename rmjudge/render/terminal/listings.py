"""Sheets in a terminal: how a table is made to fit, in this order.

1. As it is.
2. Closer, with broken headers and folded names.
3. In several tables that all have the names: what the sheet puts aside, then what there is room
   for, at least two columns a table.
4. A block of lines for each row.

A figure is never cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from rmjudge.render.figures import UNICODE
from rmjudge.render.sheets import Sheet
from rmjudge.render.terminal.screen import OnScreen, Screen
from rmjudge.text import cell_width

MIN_NAME_WIDTH: Final = 18
MAX_NAME_LINES: Final = 3
MIN_WORDS_WIDTH: Final = 36
MAX_WORDS_LINES: Final = 20
MIN_COLUMNS: Final = 2
CONTINUED: Final = ", continued"
MARKS: Final = (UNICODE.incomplete, UNICODE.unscored, UNICODE.shared, "!")
"""With which the notes begin that belong to a mark in the table."""


def sheets_renderable(sheets: Sequence[Sheet]) -> RenderableType:
    """Draw the sheets one below the other, each as the console's width allows."""
    return OnScreen(lambda screen: Group(*_drawn(screen, sheets)))


def _drawn(screen: Screen, sheets: Sequence[Sheet]) -> Iterator[RenderableType]:
    for number, sheet in enumerate(sheets):
        if number:
            yield Text()
        shown = _encodable(screen, sheet)
        for place, part in enumerate(parts(shown, lambda one: _layout(screen, one) is not None)):
            if place:
                yield Text()
            if part.title:
                yield screen.text(part.title, "bold")
            if part.header:
                yield _table(screen, part)
        for note in filter(None, sheet.notes):
            yield screen.text(note, "yellow" if note.startswith(MARKS) else "")
        if sheet.caption:
            yield screen.text(sheet.caption, "dim")


def _encodable(screen: Screen, sheet: Sheet) -> Sheet:
    """Write the texts with the signs that the console has, which may be wider."""
    return replace(
        sheet,
        header=tuple(map(screen.encodable, sheet.header)),
        rows=tuple(tuple(map(screen.encodable, row)) for row in sheet.rows),
    )


def parts(sheet: Sheet, fits: Callable[[Sheet], bool]) -> list[Sheet]:
    """Split a sheet that does not fit into some that do, each with the columns of names.

    One that cannot be split any further is returned though it does not fit.
    """
    if fits(sheet):
        return [sheet]
    figures = range(sheet.names, len(sheet.header))
    if sheet.aside:
        apart = [place for place in figures if place in sheet.aside.columns]
        kept = [place for place in figures if place not in sheet.aside.columns]
        second = replace(_only(sheet, apart), title=sheet.aside.title)
        return [*parts(_only(sheet, kept), fits), *parts(second, fits)]
    for room in reversed(range(MIN_COLUMNS, len(figures))):
        first = _only(sheet, figures[:room])
        if fits(first):
            rest = _only(sheet, figures[room:])
            title = sheet.title.removesuffix(CONTINUED) + CONTINUED
            return [first, *parts(replace(rest, title=title), fits)]
    return [sheet]


def _only(sheet: Sheet, places: Sequence[int]) -> Sheet:
    """Make a sheet of the names and of these columns."""
    kept = [*range(sheet.names), *places]
    return replace(
        sheet,
        header=tuple(sheet.header[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in sheet.rows),
        words=frozenset(new for new, old in enumerate(kept) if old in sheet.words),
        strong=kept.index(sheet.strong) if sheet.strong in kept else None,
        aside=None,
    )


def _layout(screen: Screen, sheet: Sheet) -> tuple[int, list[str], list[int]] | None:
    """Find the gap between the columns, their headers and widths; None where it cannot fit."""
    bodies = [
        max((_width(row[place]) for row in sheet.rows), default=0)
        for place in range(len(sheet.header))
    ]
    close = [_broken(head, body) for head, body in zip(sheet.header, bodies, strict=True)]
    for gap, header in ((2, list(sheet.header)), (1, close)):
        widths = [max(_width(head), body) for head, body in zip(header, bodies, strict=True)]
        lacking = sum(widths) + gap * (len(widths) - 1) - screen.width
        if lacking <= 0:
            return gap, header, widths
    least = dict.fromkeys(range(sheet.names), MIN_NAME_WIDTH)
    least |= dict.fromkeys(sheet.words, MIN_WORDS_WIDTH)
    while lacking > 0:
        folding = [place for place, width in least.items() if widths[place] > width]
        if not folding:
            return None
        widths[max(folding, key=widths.__getitem__)] -= 1
        lacking -= 1
    return gap, header, widths


def _width(text: str) -> int:
    return max(map(cell_width, text.split("\n")))


def _broken(title: str, width: int) -> str:
    """Break a header that is wider than its figures into two lines, as even as can be."""
    words = title.split(" ")
    if cell_width(title) <= width or len(words) == 1:
        return title
    ways = [" ".join(words[:n]) + "\n" + " ".join(words[n:]) for n in range(1, len(words))]
    return min(ways, key=_width)


def _table(screen: Screen, sheet: Sheet) -> RenderableType:
    found = _layout(screen, sheet)
    if found is None:
        return _blocks(screen, sheet)
    gap, header, widths = found
    table = Table(box=screen.box, show_edge=False, padding=(0, gap - 1, 0, 0), pad_edge=False)
    left = [place < sheet.names or place in sheet.words for place in range(len(header))]
    for place, (title, width) in enumerate(zip(header, widths, strict=True)):
        # Padded here: rich would strip the spaces that replace a footnote mark.
        lines = title.split("\n")
        head = "\n".join(line.ljust(width) if left[place] else line.rjust(width) for line in lines)
        style = "bold" if place == sheet.strong else ""
        table.add_column(
            screen.text(head), width=width, vertical="top", style=style, no_wrap=not left[place]
        )
        table.columns[place].header_style = "bold"
    for number, row in enumerate(_once(sheet)):
        cells = [
            _cell(screen, text, width, name=place < sheet.names)
            if left[place]
            else screen.text(text.rjust(width))
            for place, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        style = "bold" if number in sheet.bold else "dim" if number in sheet.faint else ""
        table.add_row(*cells, style=style)
    return table


def _once(sheet: Sheet) -> Iterator[Sequence[str]]:
    """Yield the rows; of several columns of names, what stands above is not said again."""
    above: Sequence[str] = ()
    for row in sheet.rows:
        names = row[: sheet.names]
        same = 0
        while sheet.names > 1 and above and same < sheet.names and names[same] == above[same]:
            same += 1
        yield ("",) * same + row[same:]
        above = names


def _cell(screen: Screen, text: str, width: int, *, name: bool) -> Text:
    lines = MAX_NAME_LINES if name else MAX_WORDS_LINES
    return Text("\n").join(screen.folded(line, width, lines) for line in text.split("\n"))


def _blocks(screen: Screen, sheet: Sheet) -> Group:
    width = max(map(cell_width, sheet.header[sheet.names :]), default=0)
    lines: list[RenderableType] = []
    for row in sheet.rows:
        lines.append(screen.text("  ".join(row[: sheet.names]), "bold"))
        lines += [
            screen.text(f"  {name:<{width}}  {figure.strip()}")
            for name, figure in zip(sheet.header[sheet.names :], row[sheet.names :], strict=True)
        ]
    return Group(*lines)
