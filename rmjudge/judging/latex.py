r"""LaTeX around a verdict, taken off: `\textcolor{red}{\mathbf{A}>B}` says `A>B`.

Commands are known by their shape, not by their names: of one with groups in braces the last is
what is shown, and those before it (a colour, a width) are its settings. What changes the meaning,
such as `\cancel{A}` or `\frac{A}{B}`, stays as it is, so that nobody understands it.
"""

from __future__ import annotations

import re
from typing import Final

_STYLE: Final = (
    r"(?:display|text|script|scriptscript)style|normal(?:font|color|size)|em|"
    r"(?:bf|it|sl|sc|rm|sf|tt|md|up)(?:series|shape|family)?|(?:un)?boldmath|tiny|"
    r"(?:script|footnote)size|small|[Ll]arge|LARGE|[Hh]uge|centering|noindent|protect|left|right|"
    r"[Bb]igg?[lrm]?|(?:math)?strut|null|relax|hfill?|(?:no)?limits|q?quad|"
    r"(?:thin|med|thick|en|hair)?space|leavevmode|par|newline"
)
"""Commands without a group of their own."""
_ONE_GROUP: Final = (
    r"(?:text|math)(?!color|style)[a-z]*|[mhf]box|[bB]oxed|ensuremath|emph|underline|boldsymbol|"
    r"bm|pmb|operatorname"
)
_COMMAND: Final = re.compile(
    r"\\+(?:(?P<escaped>[<>=_*#&$%~{}])|(?P<space>[,;:! /()\[\]-])"
    rf"|(?P<style>(?:{_STYLE})(?![a-z]))|(?P<one>(?:{_ONE_GROUP})(?![a-z]))\*?"
    r"|(?P<name>[A-Za-z]+)\*?)"
)
_CHANGES: Final = re.compile(
    r"cancel|phantom|frac|binom|choose|over(?!brace)|under(?!brace|line)|stack|sqrt|root|^not|neg|"
    r"^[sx]?out|^(?:text)?st$|strike|"
    r"tag|note|label|hid|invisible|su[bp]|atop|arrow",
    re.IGNORECASE,
)
"""Commands that strike out, hide, negate, or set one thing over or beside another."""
_SETS: Final = re.compile(r"(?:(?:page)?color|[hv]space|font(?:size|family|series|shape)|rule)")
"""Commands that set something for what follows."""
_SETTING: Final = re.compile(
    r"(?!.*\b(?:not|no|never|neither|worse|loser|tie|equal)\b)[\w\s#.,:;!%/+*()=-]*", re.IGNORECASE
)
_LETTER: Final = re.compile(r"(?<![A-Za-z0-9])[ABab](?![A-Za-z0-9])")
_UNESCAPED: Final = {
    re.compile(letter + rest): "\\\\" + command
    for letter, rest, command in (
        ("\x08", "(?=oxed|f\\b|igg?\\b|m\\b)", "b"),
        ("\t", "(?=ext|t\\b|iny)", "t"),
        ("\f", "(?=box|rame|color)", "f"),
        ("\r", "(?=m\\b|ight)", "r"),
    )
}
r"""What a reader of JSON makes of `\boxed`, `\text` or `\fbox`."""


def unwrapped(text: str) -> str:
    """A text without the commands that only say how it looks; blanks stand in their place."""
    for lost, meant in _UNESCAPED.items():
        text = lost.sub(meant, text)
    shown: list[str] = []
    place = 0
    while command := _COMMAND.search(text, place):
        shown.append(text[place : command.start()])
        groups, end = _groups(text, command)
        shown.append(_shown(command, groups, text[command.start() : end]))
        place = end
    return "".join([*shown, text[place:]])


def _shown(command: re.Match[str], groups: list[str], whole: str) -> str:
    """What a command shows: nothing, its last group, or itself where it is no wrapper."""
    name = command["name"] or ""
    if command["escaped"]:
        return command["escaped"]
    if command["space"] or command["style"] or (command["one"] and not groups):
        return " "
    if not groups or _CHANGES.search(name or command["one"] or ""):
        return whole
    *settings, last = groups
    if not all(map(_is_setting, settings)):
        return whole
    return " " if _SETS.fullmatch(name) and _is_setting(last) else f" {unwrapped(last)} "


def _is_setting(said: str) -> bool:
    return _SETTING.fullmatch(said) is not None and _LETTER.search(said) is None


def _groups(text: str, command: re.Match[str]) -> tuple[list[str], int]:
    r"""The groups of a command, without those in brackets, and where the last of them ends.

    Only the first may stand behind a blank: `\text{A} {>} B` is a command and a group.
    """
    groups: list[str] = []
    place = end = command.end()
    if command["escaped"] or command["space"] or command["style"]:
        return groups, end
    while place < len(text) and not (groups and command["one"]):
        start = place
        if not groups:
            start += len(text[place:]) - len(text[place:].lstrip())
        closing = _closing(text, start)
        if closing is None or (text[start] == "[" and groups):
            break
        place = closing + 1
        if text[start] == "{":
            groups.append(text[start + 1 : closing])
            end = place
    return groups, end


def _closing(text: str, start: int) -> int | None:
    """Where the group ends that begins here; None where there is none."""
    opening = text[start : start + 1]
    if opening not in ("{", "["):
        return None
    closing, depth = {"{": "}", "[": "]"}[opening], 0
    for place in range(start, len(text)):
        depth += {opening: 1, closing: -1}.get(text[place], 0)
        if not depth:
            return place
    return None
