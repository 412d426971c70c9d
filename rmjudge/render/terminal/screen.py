"""What a console shows: how wide it is, which signs it has, and renderables that wait for it.

Text is never read as rich markup, and what a terminal would obey is removed from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, dataclass
from typing import Final

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.rule import Rule
from rich.text import Text

from rmjudge.render.figures import ASCII, UNICODE, Glyphs
from rmjudge.text import clean, wrap

ASCII_HEAD: Final = box.Box("    \n" * 2 + " -- \n" + "    \n" * 5, ascii=True)


@dataclass(frozen=True, slots=True)
class Screen:
    """What is known of the console: its width in columns and what it can show."""

    width: int
    encoding: str

    @property
    def glyphs(self) -> Glyphs:
        """The signs that it has."""
        return UNICODE if self.encoding.startswith("utf") else ASCII

    @property
    def box(self) -> box.Box:
        """The lines of a table: one, below its header."""
        return box.SIMPLE_HEAD if self.glyphs is UNICODE else ASCII_HEAD

    @property
    def line(self) -> str:
        """What lines are made of."""
        return "─" if self.glyphs is UNICODE else "-"

    @property
    def rule(self) -> Rule:
        """A line across."""
        return Rule(characters=self.line, style="dim")

    def encodable(self, text: str) -> str:
        """Clean the text and replace what the console cannot show; newlines stay."""
        text = clean(text)
        if self.glyphs is UNICODE:
            return text
        for sign, plain in zip(astuple(UNICODE), astuple(ASCII), strict=True):
            text = text.replace(sign, plain)
        return text.encode(self.encoding, "replace").decode(self.encoding)

    def text(self, text: str, style: str = "") -> Text:
        """Make a text that is folded, never cut."""
        return Text(self.encodable(text), style=style, overflow="fold")

    def folded(self, text: str, width: int, lines: int) -> Text:
        """Break a name into at most so many lines of that width, each with the name's indent."""
        shown = self.encodable(text)
        indent = " " * (len(shown) - len(shown.lstrip(" ")))
        parts = wrap(shown, width - len(indent), lines=lines, ellipsis=self.glyphs.ellipsis)
        return Text("\n".join(indent + part for part in parts), overflow="fold")


class OnScreen:
    """A renderable that is built when its screen is known."""

    def __init__(self, build: Callable[[Screen], RenderableType]) -> None:
        self._build = build

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._build(Screen(options.max_width, options.encoding))
