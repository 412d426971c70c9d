"""How untrusted values are put into messages: short, on one line, without control characters.

A data file is somebody else's text. What it holds reaches a terminal only through here.
"""

from __future__ import annotations

from typing import Final

QUOTED: Final = 40
"""Characters of a text that a message quotes at most."""

MESSAGE: Final = 200
"""Characters of a foreign error message that a message repeats at most."""


def printable(text: str) -> str:
    r"""Escape control, bidirectional and surrogate characters: an ESC becomes `\x1b`."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def shorten(text: str, limit: int) -> str:
    """Cut a text to `limit` characters, the last three of them dots where it is cut."""
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def quote(text: str, limit: int = QUOTED) -> str:
    """Quote a text as Python would write it, shortened."""
    return repr(shorten(text, limit))


def one_line(error: BaseException) -> str:
    """Tell a foreign exception in a line: what the system says, else the type and the text."""
    if isinstance(error, OSError) and error.strerror:
        return printable(error.strerror)
    text = " ".join(str(error).split())
    name = type(error).__name__
    return shorten(printable(f"{name}: {text}" if text else name), MESSAGE)


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
