"""What a reviewer sees of a task, as data for the terminal, the page and other tools. Pure.

Texts come from models and files: characters that act or hide are written out, and whoever lays the
texts out escapes them. What is blind holds nothing that tells which side is which.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from rmjudge.building.folder import standing
from rmjudge.calls import Json
from rmjudge.reviewing.tasks import Task
from rmjudge.text import visible
from rmjudge.vocabulary import STYLES

QUESTIONS: Final = {False: "Is the rejected response really wrong?", True: "Which one is right?"}
LABELS: Final[Mapping[str, tuple[str, str]]] = {
    "yes": ("y", "really wrong"),
    "no": ("n", "not wrong"),
    "both": ("b", "both are fine"),
    "first": ("1", "the first"),
    "second": ("2", "the second"),
    "neither": ("n", "neither is right"),
}
"""Of each answer: its key and what it says. A blind task has no `no`, so `n` is free there."""
REASONS: Final[Mapping[str, str]] = {
    "no-panel": "no panel was asked, so a person decides",
    "panel-split": "the panel does not agree",
    "panel-both": "the panel holds both claims to be true",
    "panel-incomplete": "a reply of the panel cannot be read",
    "reviewers-disagree": "reviewers do not agree",
    "blind-disagrees": "somebody who saw it blind chose the other side",
}
_SAID: Final[Mapping[str | None, str]] = {
    "true": "the true one",
    "false": "the false one",
    "both": "both",
    "neither": "neither",
    None: "a reply that cannot be read",
}
_WORD: Final = re.compile(r"\s+|[^\s]+")


def shown(task: Task) -> dict[str, Json]:
    """Everything that is shown of a task.

    `sides` are two of `{"name", "texts"}`, texts by style; `difference` is a list of [part, text],
    the part `both`, `first` or `second` (of the sides), of the Markdown texts.
    """
    about = {} if task.blind else task.item["provenance"]
    names = ("first", "second") if task.blind else ("chosen", "rejected")
    first, second = task.sides
    return {
        "texts": task.texts,
        "blind": task.blind,
        "id": visible(str(task.item["tuple"]["id"])),
        "question": QUESTIONS[task.blind],
        "why": _why(task),
        "prompt": visible(task.item["tuple"]["prompt"]),
        "reference": visible(str(task.item["provenance"].get("reference") or "")),
        "claims": [
            [title, visible(str(about[name]))]
            for name, title in (
                ("claim_true", "true claim"),
                ("claim_false", "false claim"),
                ("why", "why it is false"),
            )
            if about.get(name)
        ],
        "votes": list(votes(about)),
        "styles": list(STYLES),
        "sides": [
            {"name": name, "texts": [visible(text) for text in texts]}
            for name, texts in zip(names, (first, second), strict=True)
        ],
        "difference": [[part, text] for part, text in difference(first[2], second[2])],
        "answers": [[word, *LABELS[word]] for word in task.answers],
    }


def _why(task: Task) -> str:
    if task.blind:
        return "shown blind, to measure how many labels are wrong"
    reason = str(task.item["reason"])
    detail = visible(str(task.item.get("detail") or ""))
    tells_more = detail and reason != "no-panel"
    return REASONS.get(reason, reason) + (f" ({detail})" if tells_more else "")


def votes(about: Mapping[str, Any]) -> Iterator[str]:
    """A line for each model of the panel and each person who has decided."""
    for number, vote in enumerate(about.get("votes") or (), 1):
        said = ", then ".join(_SAID[word] for word in vote["claims"])
        yield (
            f"panel {number}: which claim is true? {said}. "
            f"Which claim does each text state? {_stated(vote['asserts'])}"
        )
    for one in standing(about.get("decisions") or ()):
        how = " (blind)" if one.get("blind") else ""
        word = LABELS[one["verdict"]][1] if one["verdict"] in LABELS else "a text was changed"
        yield f"{visible(one['reviewer'])}{how}: {word}"


def _stated(asserts: Sequence[str] | None) -> str:
    if asserts is None:
        return _SAID[None]
    if asserts == ["true"] * 3 + ["false"] * 3:
        return "the chosen the true one, the rejected the false one"
    told = {
        side: ", ".join(f"{style} {word}" for style, word in zip(STYLES, words, strict=True))
        for side, words in (("chosen", asserts[:3]), ("rejected", asserts[3:]))
    }
    return "; ".join(f"{side}: {words}" for side, words in told.items())


def difference(one: str, other: str) -> Iterator[tuple[str, str]]:
    """Parts of two texts: of both, of the first alone, of the second alone."""
    before, after = _WORD.findall(visible(one)), _WORD.findall(visible(other))
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            yield "both", "".join(before[a:b])
            continue
        if b > a:
            yield "first", "".join(before[a:b])
        if d > c:
            yield "second", "".join(after[c:d])
