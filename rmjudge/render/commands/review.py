"""A task of a review in the terminal: prompt, reference, the difference, claims, votes."""

from __future__ import annotations

from typing import Any, Final

from rich.text import Text

from rmjudge.reviewing.showing import shown
from rmjudge.reviewing.tasks import Task

_MARKS: Final = {"first": ("[-", "-]", "red"), "second": ("{+", "+}", "green")}
_BLIND_MARKS: Final = {"first": ("[1:", "]", "cyan"), "second": ("{2:", "}", "magenta")}


def shown_here(task: Task, *, whole: bool) -> Text:
    """What is shown of a task, and the six texts where `whole`."""
    found: Any = shown(task)
    text = Text()
    text.append(f"Tuple {found['id']}: {found['why']}\n", style="bold")
    _part(text, "PROMPT", found["prompt"])
    if found["reference"]:
        _part(text, "REFERENCE", found["reference"])
    marks = _BLIND_MARKS if task.blind else _MARKS
    names = [
        f"{marks[part][0]}{side['name']}{marks[part][1]}"
        for part, side in zip(("first", "second"), found["sides"], strict=True)
    ]
    text.append(f"RESPONSE, {' '.join(names)}\n", style="bold")
    for part, words in found["difference"]:
        before, after, style = marks.get(part, ("", "", ""))
        text.append(f"{before}{words}{after}", style=style)
    text.append("\n\n")
    for title, words in found["claims"]:
        text.append(f"{title}: {words}\n")
    for line in found["votes"]:
        text.append(f"{line}\n")
    if whole:
        for side in found["sides"]:
            for style, words in zip(found["styles"], side["texts"], strict=True):
                _part(text, f"{side['name']}, {style}".upper(), words)
    return text


def _part(text: Text, title: str, words: str) -> None:
    text.append(f"{title}\n", style="bold")
    text.append(f"{words}\n\n")
