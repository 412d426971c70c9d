"""A person's own edit of one side: found and replaced in all three styles, or told why not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rmjudge.building.checks import (
    Edit,
    applied,
    bad_concise,
    bad_markdown,
    bad_plain,
    declines,
    repeated,
)
from rmjudge.building.folder import FIX
from rmjudge.building.styling import plain
from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.reviewing.tasks import Task
from rmjudge.vocabulary import STYLES

SIDES: Final = ("chosen", "rejected")
_BY_PROGRAM: Final = ("code", "answer")
"""Recipes whose proof a program gave of these very texts."""


def fix(task: Task, reviewer: str, side: str, find: str, replace: str) -> dict[str, Json]:
    """The decision that one side of a tuple reads otherwise, its three new texts in it.

    Raises:
        UsageError: the texts cannot be changed so.
    """
    item = task.item
    if task.blind:
        raise UsageError("a tuple that is shown blind is not fixed: answer which text is right")
    if side not in SIDES:
        raise UsageError("a fix is of the chosen or of the rejected side")
    if item["provenance"].get("recipe") in _BY_PROGRAM:
        raise UsageError("a program proved these very texts: change the prompt's line, and build")
    if not find or find == replace:
        raise UsageError("name the words to find, and other words to put in their place")
    texts = _changed(item["tuple"], side, Edit("", "", "", ((find, replace),)))
    responses: list[Json] = list(texts)
    return {
        "id": item["tuple"]["id"],
        "texts": task.texts,
        "reviewer": reviewer,
        "verdict": FIX,
        "side": side,
        "find": find,
        "replace": replace,
        "responses": responses,
    }


def _changed(found: Mapping[str, Any], side: str, edit: Edit) -> tuple[str, str, str]:
    ((find, _),) = edit.edits
    if any(found[side][style].count(find) != 1 for style in (0, 2)):
        raise UsageError(
            "the words to find must be once in the concise and once in the Markdown text"
        )
    concise, markdown = (applied(found[side][style], edit) or "" for style in (0, 2))
    texts = (concise, plain(markdown), markdown)
    other = tuple(found["chosen" if side == "rejected" else "rejected"])
    refusing = bool(declines(found[side][STYLES.index("detailed")]))  # it may go on to decline
    reason = (
        bad_markdown(markdown, refusing=refusing)
        or bad_plain(texts[1])
        or bad_concise(concise, markdown, refusing=refusing)
        or repeated((texts, other))
    )
    if reason is not None:
        raise UsageError(f"the new text is refused ({reason.word}): {reason.detail}")
    return texts
