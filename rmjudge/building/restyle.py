"""The recipe `restyle`: both responses are given; the company's label is the proof. Pure."""

from __future__ import annotations

from functools import partial

from rmjudge.building.cases import Case
from rmjudge.building.checks import Reason, bad_plain, is_refusal
from rmjudge.building.outcomes import Outcome, Triple
from rmjudge.building.styling import is_markdown, plain
from rmjudge.building.writing import (
    EXAMPLE,
    Asking,
    Tools,
    detailed,
    in_styles,
    proven,
    rejected,
    written,
    wrong_kind,
)


def restyle(tools: Tools, case: Case) -> Asking:
    """Both given texts, each by itself, in three styles; the company's label is the proof."""
    sides: list[Triple] = []
    for given in (case.good, case.bad):
        markdown: str | Outcome = given.strip()
        # A given text may be a refusal; then all of its styles are. Else it is the writer's.
        refusing = is_refusal(plain(given))
        kind = partial(wrong_kind, refusing=True) if refusing else lambda _: None
        if not is_markdown(given):
            check = partial(_detailed, refusing=refusing)
            markdown = yield from written(
                tools, "markdown", check, EXAMPLE, prompt=case.prompt, text=given.strip()
            )
        elif reason := bad_plain(plain(given)):
            markdown = rejected("given", reason)
        if isinstance(markdown, Outcome):
            return markdown
        styles = yield from in_styles(tools, case, markdown, kind, refusing=refusing)
        if isinstance(styles, Outcome):
            return styles
        sides.append(styles)
    return proven(sides[0], sides[1], Outcome("kept", proof="given"))


def _detailed(text: str, *, refusing: bool) -> Reason | None:
    lost = wrong_kind(plain(text), refusing=True) if refusing else None
    return detailed(text, refusing=refusing) or lost
