"""The recipe `restyle`: both responses are given; the company's label is the proof. Pure."""

from __future__ import annotations

from rmjudge.building.cases import Case
from rmjudge.building.checks import bad_plain
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
)


def restyle(tools: Tools, case: Case) -> Asking:
    """Both given texts, each by itself, in three styles; the company's label is the proof."""
    sides: list[Triple] = []
    for title, given in (("One title", case.good), ("Other title", case.bad)):
        markdown: str | Outcome = given.strip()
        if not is_markdown(given):
            example = EXAMPLE.replace("One title", title)  # two texts are two concise calls
            markdown = yield from written(
                tools, "markdown", detailed, example, prompt=case.prompt, text=given.strip()
            )
        elif reason := bad_plain(plain(given)):
            markdown = rejected("given", reason)
        if isinstance(markdown, Outcome):
            return markdown
        styles = yield from in_styles(tools, case, markdown)
        if isinstance(styles, Outcome):
            return styles
        sides.append(styles)
    return proven(sides[0], sides[1], Outcome("kept", proof="given"))
