"""What recipes share: a text of the writer's that passes its checks, its three styles. Pure.

A recipe is a generator: it gives calls, is sent their answers, and returns the outcome. It knows
nothing of models, caches or files, so a build is a function of prompts, templates and answers.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from rmjudge.building.asking import WRITER, Ask, Step, Templates
from rmjudge.building.cases import Case
from rmjudge.building.checks import (
    SHORTER,
    Reason,
    bad_concise,
    bad_markdown,
    bad_plain,
    declines,
    repeated,
    unfinished,
)
from rmjudge.building.outcomes import Outcome, Triple
from rmjudge.building.styling import plain
from rmjudge.calls import Answer, Json, Text
from rmjudge.grading.grader import Grading
from rmjudge.sandbox.programs import Sandbox

SAMPLES: Final = 3
"""So many samples a step are asked for before a prompt is put aside."""
EXAMPLE: Final = "# One title\n\n**Unmistakably** so. " + "The quick brown fox jumps. " * 60
"""A detailed answer's usual length, for estimates."""
Asking: TypeAlias = Generator[Sequence[Ask], Sequence[Answer], "Outcome"]
Written: TypeAlias = Generator[Sequence[Ask], Sequence[Answer], "str | Outcome"]


@dataclass(frozen=True, slots=True)
class Tools:
    """What recipes work with: templates, the number of the panel's models, what decides samples.

    There is no sandbox in a rehearsal, nor where no prompt has tests, and no grader where none
    has an answer.
    """

    templates: Templates
    panel: int
    sandbox: Sandbox | None = None
    grader: Grading | None = None


def rejected(step: str, reason: Reason, about: Mapping[str, Json] | None = None) -> Outcome:
    """A prompt put aside."""
    return Outcome("rejected", step, reason, about=about or {})


def written(
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


def detailed(text: str, *, refusing: bool = False) -> Reason | None:
    """Why a text is no detailed one in Markdown, or gives no plain one; None where it is good."""
    return bad_markdown(text, refusing=refusing) or bad_plain(plain(text))


def wrong_kind(text: str, *, refusing: bool) -> Reason | None:
    """Whether a text answers that should decline, or declines that should answer."""
    found = declines(text)
    if refusing:
        return None if found else Reason("no-refusal", "no words that decline were found")
    return Reason("refusal", found) if found else None


def concise(
    tools: Tools,
    case: Case,
    markdown: str,
    check: Callable[[str], Reason | None] = lambda _: None,
    final: str = "",
    *,
    refusing: bool = False,
) -> Written:
    """The concise version of a Markdown text.

    `check` is what it must pass besides, `final` how it states a final answer, where it has one;
    one that is `refusing` may decline.
    """
    length = len(markdown) // (SHORTER + 1)
    return written(
        tools,
        "concise",
        lambda text: bad_concise(text, markdown, refusing=refusing) or check(text),
        plain(markdown)[-length:] if final else plain(markdown)[:length],
        prompt=case.prompt,
        text=markdown,
        characters=len(markdown) // SHORTER,
        final=final,
    )


def in_styles(
    tools: Tools,
    case: Case,
    markdown: str,
    check: Callable[[str], Reason | None] = lambda _: None,
    *,
    refusing: bool = False,
) -> Generator[Sequence[Ask], Sequence[Answer], Triple | Outcome]:
    """The three styles of one Markdown text, in the order of the styles; as for `concise`."""
    short = yield from concise(tools, case, markdown, check, refusing=refusing)
    if isinstance(short, Outcome):
        return short
    return short, plain(markdown), markdown


def proven(chosen: Triple, wrong: Triple, outcome: Outcome) -> Outcome:
    """The outcome with its texts, unless two of them are the same."""
    if reason := repeated((chosen, wrong)):
        return rejected("styles", reason, outcome.about)
    return Outcome(
        outcome.state, outcome.step, outcome.reason, outcome.proof, chosen, wrong, outcome.about
    )
