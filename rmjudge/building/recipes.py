"""The recipes: what is asked one after the other, and what becomes of a prompt. Pure.

A recipe is a generator: it gives calls, is sent their answers, and returns the outcome. It knows
nothing of models, caches or files, so a build is a function of prompts, templates and answers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rmjudge.building.asking import WRITER, Ask, Step, Templates, read_object
from rmjudge.building.cases import Case
from rmjudge.building.checks import (
    SHORTER,
    Edit,
    Reason,
    applied,
    bad_concise,
    bad_edit,
    bad_markdown,
    bad_plain,
    repeated,
    unfinished,
)
from rmjudge.building.code import code
from rmjudge.building.outcomes import Outcome, Triple
from rmjudge.building.panel import questions, verdict_of, votes_of
from rmjudge.building.styling import is_markdown, plain
from rmjudge.calls import Answer, Json, Text
from rmjudge.sandbox.programs import Sandbox

VERSION: Final = 1
"""Of the recipes and their checks."""
SAMPLES: Final = 3
"""So many samples a step are asked for before a prompt is put aside."""
EXAMPLE: Final = "# One title\n\n**Unmistakably** so. " + "The quick brown fox jumps. " * 60
"""A detailed answer's usual length, for estimates."""
Asking: TypeAlias = Generator[Sequence[Ask], Sequence[Answer], "Outcome"]
Written: TypeAlias = Generator[Sequence[Ask], Sequence[Answer], "str | Outcome"]


@dataclass(frozen=True, slots=True)
class Tools:
    """What recipes work with: templates, the number of the panel's models, where code is run.

    There is no sandbox in a rehearsal, nor where no prompt has tests.
    """

    templates: Templates
    panel: int
    sandbox: Sandbox | None = None


def rejected(step: str, reason: Reason, about: Mapping[str, Json] | None = None) -> Outcome:
    """A prompt put aside."""
    return Outcome("rejected", step, reason, about=about or {})


def _written(
    tools: Tools,
    step: Step,
    check: Callable[[str], Reason | None],
    example: str,
    **values: Json,
) -> Written:
    """One text of the writer's, the first of `SAMPLES` that passes the check."""
    reason = None
    for sample in range(SAMPLES):
        (answer,) = yield [tools.templates.ask(step, WRITER, sample, example=example, **values)]
        reason = unfinished(answer)
        if reason is None and isinstance(answer, Text):
            text = answer.text.strip()
            if (reason := check(text)) is None:
                return text
    assert reason is not None  # noqa: S101, there is at least one sample
    return rejected(step, reason)


def _detailed(text: str) -> Reason | None:
    return bad_markdown(text) or bad_plain(plain(text))


def _concise(tools: Tools, case: Case, markdown: str) -> Written:
    return _written(
        tools,
        "concise",
        lambda text: bad_concise(text, markdown),
        plain(markdown)[: len(markdown) // (SHORTER + 1)],
        prompt=case.prompt,
        text=markdown,
        characters=len(markdown) // SHORTER,
    )


def _styles(
    tools: Tools, case: Case, markdown: str
) -> Generator[Sequence[Ask], Sequence[Answer], Triple | Outcome]:
    """The three styles of one Markdown text, in the order of the styles."""
    concise = yield from _concise(tools, case, markdown)
    if isinstance(concise, Outcome):
        return concise
    return concise, plain(markdown), markdown


def restyle(tools: Tools, case: Case) -> Asking:
    """Both given texts, each by itself, in three styles; the company's label is the proof."""
    sides: list[Triple] = []
    for given in (case.good, case.bad):
        markdown: str | Outcome = given.strip()
        if not is_markdown(given):
            markdown = yield from _written(
                tools, "markdown", _detailed, EXAMPLE, prompt=case.prompt, text=given.strip()
            )
        elif reason := bad_plain(plain(given)):
            markdown = rejected("given", reason)
        if isinstance(markdown, Outcome):
            return markdown
        styles = yield from _styles(tools, case, markdown)
        if isinstance(styles, Outcome):
            return styles
        sides.append(styles)
    return proven(sides[0], sides[1], Outcome("kept", proof="given"))


def proven(chosen: Triple, wrong: Triple, outcome: Outcome) -> Outcome:
    """The outcome with its texts, unless two of them are the same."""
    if reason := repeated((chosen, wrong)):
        return rejected("styles", reason, outcome.about)
    return Outcome(
        outcome.state, outcome.step, outcome.reason, outcome.proof, chosen, wrong, outcome.about
    )


def edit(tools: Tools, case: Case) -> Asking:
    """One atomic false edit, which the program applies; a blind panel, or a person, proves it."""
    about: dict[str, Json] = {"prompt": case.prompt, "reference": case.reference}
    markdown = yield from _written(tools, "answer", _detailed, EXAMPLE, **about)
    if isinstance(markdown, Outcome):
        return markdown
    styles = yield from _styles(tools, case, markdown)
    if isinstance(styles, Outcome):
        return styles
    found = yield from _edited(tools, case, styles)
    if isinstance(found, Outcome):
        return found
    wrong_markdown = applied(markdown, found) or ""
    wrong: Triple = (applied(styles[0], found) or "", plain(wrong_markdown), wrong_markdown)
    return (yield from _judged(tools, case, found, (styles, wrong)))


def _judged(tools: Tools, case: Case, found: Edit, sides: tuple[Triple, Triple]) -> Asking:
    """What the panel makes of an edit; without one it waits for a person."""
    told: dict[str, Json] = {
        "reference": case.reference,
        "claim_true": found.claim_true,
        "claim_false": found.claim_false,
        "why": found.why,
        "edits": [{"find": one, "replace": other} for one, other in found.edits],
    }
    if not tools.panel:
        reason = Reason("no-panel", "a person decides: run `rmjudge review`")
        return proven(*sides, Outcome("queued", "panel", reason, about=told))
    asks = questions(tools.templates, case, found, (*sides[0], *sides[1]), tools.panel)
    votes = votes_of(case, (yield asks))
    told["votes"] = [vote.to_json() for vote in votes]
    state, why = verdict_of(votes)
    if state == "rejected" and why is not None:
        return rejected("panel", why, told)
    if state == "queued":
        return proven(*sides, Outcome("queued", "panel", why, about=told))
    return proven(*sides, Outcome("kept", proof="panel", about=told))


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


RECIPES: Final[Mapping[str, Callable[[Tools, Case], Asking]]] = {
    "restyle": restyle,
    "edit": edit,
    "code": code,
}
