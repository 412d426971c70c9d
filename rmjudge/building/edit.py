"""The recipe `edit`: one false edit, put in by the program, proven by a panel or a person. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Sequence

from rmjudge.building.asking import WRITER, Ask, read_object
from rmjudge.building.cases import Case
from rmjudge.building.checks import Edit, Reason, applied, bad_edit, bad_plain, unfinished
from rmjudge.building.outcomes import Outcome, Triple
from rmjudge.building.panel import Claims, judged
from rmjudge.building.styling import plain
from rmjudge.building.writing import (
    EXAMPLE,
    SAMPLES,
    Asking,
    Tools,
    detailed,
    in_styles,
    rejected,
    written,
)
from rmjudge.calls import Answer, Json, Text


def edit(tools: Tools, case: Case) -> Asking:
    """One atomic false edit, which the program applies; a blind panel, or a person, proves it."""
    about: dict[str, Json] = {"prompt": case.prompt, "reference": case.reference}
    markdown = yield from written(tools, "answer", detailed, EXAMPLE, **about)
    if isinstance(markdown, Outcome):
        return markdown
    styles = yield from in_styles(tools, case, markdown)
    if isinstance(styles, Outcome):
        return styles
    found = yield from _edited(tools, case, styles)
    if isinstance(found, Outcome):
        return found
    wrong_markdown = applied(markdown, found) or ""
    wrong: Triple = (applied(styles[0], found) or "", plain(wrong_markdown), wrong_markdown)
    more: dict[str, Json] = {
        "why": found.why,
        "edits": [{"find": one, "replace": other} for one, other in found.edits],
    }
    pair = (found.claim_true, found.claim_false)
    return (yield from judged(tools, case, Claims(pair, pair, "asserts"), (styles, wrong), more))


def _edited(
    tools: Tools, case: Case, styles: Triple
) -> Generator[Sequence[Ask], Sequence[Answer], Edit | Outcome]:
    concise, _, markdown = styles
    reason = None
    for sample in range(SAMPLES):
        ask = tools.templates.ask(
            "edit",
            WRITER,
            sample,
            prompt=case.prompt,
            reference=case.reference,
            markdown=markdown,
            concise=concise,
            example=_example(styles),
        )
        (answer,) = yield [ask]
        reason = unfinished(answer)
        if reason is None and isinstance(answer, Text):
            found = read_edit(answer.text)
            reason = (
                Reason("edit-unread", "the reply has no such JSON")
                if found is None
                else bad_edit(found, markdown, concise) or _shown(found, markdown)
            )
            if found is not None and reason is None:
                return found
    assert reason is not None  # noqa: S101, there is at least one sample
    return rejected("edit", reason)


def _example(styles: Triple) -> str:
    """A reply that edits a word of both texts, for estimates; empty where they share none."""
    concise, _, markdown = styles
    for word in re.findall(r"[^\W\d_]{4,}", concise):
        if concise.count(word) == markdown.count(word) == 1:
            edits = [{"find": word, "replace": f"{word}s"}]
            claims = {"claim_true": "One sentence.", "claim_false": "Another.", "why": "A reason."}
            return json.dumps({**claims, "edits": edits})
    return ""


def _shown(found: Edit, markdown: str) -> Reason | None:
    """Whether the plain text shows the change, and is as plain as before."""
    wrong = plain(applied(markdown, found) or "")
    if wrong == plain(markdown):
        return Reason("edit", "the plain text does not show it")
    return bad_plain(wrong)


def read_edit(text: str) -> Edit | None:
    """The edit in a writer's reply; None where there is none of that form."""
    fields = read_object(text) or {}
    words = [fields.get(name) for name in ("claim_true", "claim_false")]
    edits = fields.get("edits")
    if not all(isinstance(word, str) and word.strip() for word in words):
        return None
    if not isinstance(edits, list) or not edits:
        return None
    pairs: list[tuple[str, str]] = []
    for one in edits:
        find, new = (one.get("find"), one.get("replace")) if isinstance(one, dict) else (None, None)
        if not (isinstance(find, str) and find and isinstance(new, str)):
            return None
        pairs.append((find, new))
    why = fields.get("why")
    return Edit(str(words[0]), str(words[1]), why if isinstance(why, str) else "", tuple(pairs))
