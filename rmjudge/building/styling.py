r"""One way from Markdown to plain text for both sides of a tuple. Pure.

Code and formulas are set aside while the Markdown is read, and put back untouched: a Markdown
parser takes the backslashes of `\\{` away and reads `_` and `*` in a formula as emphasis.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LEAST_MARKS: Final = 2
"""A text with so many marks is Markdown."""
_FORMULA: Final = re.compile(
    r"\$\$.+?\$\$|\\\[.+?\\\]|\\\(.+?\\\)|\$(?!\s)[^$\n]+?(?<!\s)\$(?!\d)", re.DOTALL
)
_CODE: Final = re.compile(
    r"^(`{3,}|~{3,})[^\n]*\n.*?^\1[ \t]*$|(`+)(?!`).+?(?<!`)\2(?!`)", re.M | re.S
)
_HELD: Final = re.compile("\ue000(\\d+)\ue001")
_PRIVATE: Final = re.compile("[\ue000\ue001]")
_BLOCKS: Final = frozenset(
    ("heading_open", "fence", "code_block", "blockquote_open", "list_item_open", "table_open", "hr")
)
_INLINE: Final = frozenset(
    ("strong_open", "em_open", "s_open", "code_inline", "link_open", "image")
)


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def plain(markdown: str) -> str:
    """The text of a Markdown text, a line a block, without its marks; numbers of lists stay."""
    held: list[str] = []
    source = _held_apart(_PRIVATE.sub("", markdown), held)
    lines: list[str] = []
    marker = ""
    row: list[str] | None = None
    for token in _parser().parse(source):
        if token.type in ("fence", "code_block"):
            lines.append(token.content.rstrip("\n"))
        elif token.type == "list_item_open":
            marker = f"{token.info}{token.markup} " if token.info else ""
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            lines.append(", ".join(cell for cell in row if cell))
            row = None
        elif token.type == "inline":
            text = _inline(token)
            if row is not None:
                row.append(text)
            elif text:
                lines.append(marker + text)
                marker = ""
    return _HELD.sub(lambda found: held[int(found[1])], "\n".join(lines)).strip()


def fences(markdown: str) -> list[tuple[str, str]]:
    """The fenced blocks of a Markdown text: what each is called, and its lines."""
    return [
        (token.info.strip(), token.content.rstrip("\n"))
        for token in _parser().parse(markdown)
        if token.type == "fence"
    ]


def _inline(token: Token) -> str:
    parts = []
    for child in token.children or ():
        if child.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif child.type in ("text", "code_inline", "image", "text_special"):
            parts.append(child.content)
    return "".join(parts).strip()


def _held_apart(markdown: str, held: list[str]) -> str:
    """Put a private mark in the place of each formula that is not within code."""

    def hold(found: re.Match[str]) -> str:
        held.append(found[0])
        return f"\ue000{len(held) - 1}\ue001"

    parts: list[str] = []
    end = 0
    for code in _CODE.finditer(markdown):
        parts += [_FORMULA.sub(hold, markdown[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*parts, _FORMULA.sub(hold, markdown[end:])])


def marks(text: str) -> int:
    """How many marks of Markdown a text has: headings, points of lists, bold type, code, links."""
    source = _held_apart(_PRIVATE.sub("", text), [])
    return sum(
        (token.type in _BLOCKS) + sum(child.type in _INLINE for child in token.children or ())
        for token in _parser().parse(source)
    )


_LOOKS_MARKED: Final = re.compile(
    r"^#{1,6} \S|^[-*+] \S|\*\*\S|__\S|^(?:```|~~~)|`[^`\n]+`|\]\(http", re.M
)


def is_plain(text: str) -> bool:
    """Whether no mark of Markdown is left, formulas and numbered lines apart."""
    return not _LOOKS_MARKED.search(_FORMULA.sub("", text))


def is_markdown(text: str) -> bool:
    """Whether a text is Markdown already."""
    return marks(text) >= LEAST_MARKS
