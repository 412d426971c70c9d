"""Text from users, models and files, made harmless before it is shown, exported or quoted.

Such text is hostile until cleaned: a model file may name itself with terminal escapes,
right-to-left overrides, a spreadsheet formula or a LaTeX command, and a data file may hold any
of these. In tables such characters are removed (`clean`); a message that quotes a file shows
them as escapes (`printable`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

UNNAMED: Final = "(unnamed)"
REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
QUOTED: Final = 40
"""Characters of a text that a message quotes at most."""
MESSAGE: Final = 200
"""Characters of a foreign error message that a message repeats at most."""

_LINE_BREAKS: Final = "\u2028\u2029"
_JOINERS: Final = "\u200c\u200d"
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_FORMULA_SIGNS: Final = frozenset("=+-@＝＋－＠")  # noqa: RUF001  Excel reads the wide forms too
_BREAK_AFTER: Final = frozenset("/-_:@ ")

_LATEX: Final = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        # After `\\` or `\midrule` these two would start an argument.
        "[": "{[}",
        "]": "{]}",
        "*": "{*}",
        # These join with their neighbours: ?` is a Spanish question mark.
        "`": "{`}",
        "'": "{'}",
    }
)
_MARKDOWN: Final = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        # An entity, for tables split at pipes before they read escapes.
        "\\": "&#92;",
        **{sign: "\\" + sign for sign in "|`*_[]~$#"},
    }
)


def clean(text: str) -> str:
    """Remove what a terminal would obey or a reader could not see; newlines stay.

    Control characters (C0, C1, ESC), bidirectional controls, zero-width characters and the
    byte order mark go; a tab becomes a space, a Unicode line separator a newline, a lone
    surrogate U+FFFD. What remains of an escape sequence is shown as the plain text it is.
    """
    return "".join(map(_clean_character, text))


def _clean_character(character: str) -> str:
    if character == "\n" or character in _LINE_BREAKS:
        return "\n"
    if character == "\t":
        return " "
    category = unicodedata.category(character)
    if category == "Cs":
        return REPLACEMENT
    return "" if category in ("Cc", "Cf") else character


def visible(text: str) -> str:
    """The text with each character that acts or hides written out, such as `<U+202E>`.

    For a reader who must see what is there: newlines and tabs stay, and so do the joiners that
    scripts and emoji need.
    """
    return "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character in "\n\t" or character in _JOINERS:
        return character
    hidden = unicodedata.category(character) in ("Cc", "Cf", "Cs") or character in _LINE_BREAKS
    return f"<U+{ord(character):04X}>" if hidden else character


def one_line(text: str) -> str:
    """Clean the text and put it on one line, runs of white space as one space."""
    return " ".join(clean(text).split())


def label(text: str) -> str:
    """Make a name fit for a table: one clean line, never empty."""
    return one_line(text) or UNNAMED


def cell_width(text: str) -> int:
    """Count the terminal columns that the text takes (wide characters take two)."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int, *, ellipsis: str = ELLIPSIS) -> str:
    """Clean the text, put it on one line and cut it to `width` columns, marked by `ellipsis`."""
    line = one_line(text)
    if cell_width(line) <= width:
        return line
    head, _ = _split(line, max(0, width - cell_width(ellipsis)))
    return (head.rstrip() + ellipsis)[: max(0, width)]


def wrap(text: str, width: int, *, lines: int, ellipsis: str = ELLIPSIS) -> list[str]:
    """Break a name into at most `lines` lines of `width` columns, the last one shortened.

    It breaks after `/`, `-`, `_`, `:`, `@` or a space where one is in the second half
    of a line, otherwise wherever the line is full.
    """
    rest = one_line(text)
    result: list[str] = []
    while cell_width(rest) > width and len(result) < lines - 1:
        head, _ = _split(rest, width)
        cut = max((n for n, sign in enumerate(head, 1) if sign in _BREAK_AFTER), default=0)
        cut = cut if cut > len(head) // 2 else max(1, len(head))
        result.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*result, shorten(rest, width, ellipsis=ellipsis)]


def _split(text: str, width: int) -> tuple[str, str]:
    used = 0
    for position, character in enumerate(text):
        used += _character_width(character)
        if used > width:
            return text[:position], text[position:]
    return text, ""


def csv_cell(text: str) -> str:
    """Prefix with `'` what a spreadsheet would read as a formula; plain numbers stay.

    Quoting separators and newlines is left to the csv writer.
    """
    if _NUMBER.fullmatch(text):
        return text
    starts_formula = text.lstrip()[:1] in _FORMULA_SIGNS or text[:1] in ("\t", "\r", "\n")
    return "'" + text if text and starts_formula else text


def latex_escape(text: str) -> str:
    """Clean the text and make it print as itself in a LaTeX table cell."""
    return re.sub("-(?=-)", "-{}", one_line(text).translate(_LATEX))


def markdown_cell(text: str) -> str:
    """Clean the text and make it print as itself in a cell of a Markdown pipe table."""
    return one_line(text).translate(_MARKDOWN).replace("://", "\\://")


def slug(text: str) -> str:
    """A name of `[A-Za-z0-9._-]` for a folder; never hidden, never empty."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:80] or "run"


def printable(text: str) -> str:
    r"""Escape control, bidirectional and surrogate characters: an ESC becomes `\x1b`."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def quote(text: str, limit: int = QUOTED) -> str:
    """Quote a text as Python would write it, cut to `limit` characters."""
    return repr(_cut(text, limit))


def error_line(error: BaseException) -> str:
    """Put a foreign exception on a line: what the system says, else the type and the text."""
    if isinstance(error, OSError) and error.strerror:
        return printable(error.strerror)
    text = " ".join(str(error).split())
    name = type(error).__name__
    return _cut(printable(f"{name}: {text}" if text else name), MESSAGE)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def kind_of(value: object) -> str:
    """Name the JSON type of a parsed value, with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "there are") -> str:
    """Suggest the known name that is most like this one; else list them all after `otherwise`."""
    from difflib import get_close_matches

    names = list(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"{otherwise} {', '.join(names)}" if otherwise else ""


def problem_list(name: str, problems: Sequence[str], most: int = 20) -> str:
    """Tell what is wrong with a file, a line each, the first `most` of them."""
    more = len(problems) - most
    lines = [*problems[:most], *([f"... and {more} more"] if more > 0 else [])]
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    return f"{name}: {count}:\n" + "\n".join(f"  {line}" for line in lines)


def separator_of(text: str) -> str:
    """What separates the columns of a CSV text: many spreadsheets write `;`."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)
