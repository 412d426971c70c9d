"""The recipe `code`: tests decide which sample of a model is right. Pure but for the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.building.cases import Case
from rmjudge.building.checks import Reason, bad_plain, bad_prose, repeated, unfinished
from rmjudge.building.code_blocks import code_of, in_plain, prose_of
from rmjudge.building.outcomes import Outcome, Triple
from rmjudge.building.sampling import ROUNDS, asked, counted, nearest_pairs
from rmjudge.building.styling import is_markdown, plain
from rmjudge.building.writing import Asking, Tools
from rmjudge.calls import Answer, Json, Text
from rmjudge.sandbox.programs import Program, Sandbox
from rmjudge.sandbox.running import run_program, run_times

TIMES: Final = 3
"""A sample is run so often: one that ends differently is no proof."""
EXAMPLE: Final = (
    "## Solution\n\n**One** pass is enough.\n\n```python\n"
    + "def solve(values):\n    return [value for value in values if value]\n" * 6
    + "```\n\n"
    + "Each value is looked at once, in its order. " * 8
)
"""A reply's usual length, for estimates."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A response that can be used, its code, and how the tests ended."""

    markdown: str
    code: str
    end: str

    @property
    def styles(self) -> Triple:
        """Concise is the code alone."""
        return self.code, plain(self.markdown), self.markdown


@dataclass(frozen=True, slots=True)
class Pair:
    """Both sides, and how their texts ended once styled, by style."""

    chosen: Sample
    rejected: Sample
    ends: tuple[tuple[str, ...], tuple[str, ...]]


def code(tools: Tools, case: Case) -> Asking:
    """Samples of one model, run against the tests; the nearest in length of both sides."""
    samples: list[Sample] = []
    told: list[Json] = []
    pair: Pair | None = None
    for turn in range(ROUNDS):
        answers = yield asked(tools, case, turn, lambda _: EXAMPLE, language=case.language)
        if tools.sandbox is None:  # a rehearsal
            if turn + 1 < ROUNDS and all(unfinished(answer) for answer in answers):
                continue
            return Outcome("open", "execute", Reason("no-sandbox"))
        for answer in answers:
            read = _read(tools.sandbox, case, answer)
            told.append(read.word if isinstance(read, Reason) else read.end)
            if isinstance(read, Sample):
                samples.append(read)
        if pair := _pair(tools.sandbox, case, samples):
            break
    about: dict[str, Json] = {
        "reference": case.reference,
        "language": case.language,
        "tests": case.tests,
        "sandbox": tools.sandbox.name if tools.sandbox else "",
        "runs": TIMES,
        "samples": told,
    }
    if pair is None:
        return Outcome("rejected", "execute", _lacking(samples, told), about=about)
    about["executed"] = {"chosen": list(pair.ends[0]), "rejected": list(pair.ends[1])}
    sides = pair.chosen.styles, pair.rejected.styles
    return Outcome("kept", "", None, "executed", *sides, about)


def _read(sandbox: Sandbox, case: Case, answer: Answer) -> Sample | Reason:
    """A sample that can be used, run `TIMES` times, or why it cannot."""
    if reason := unfinished(answer):
        return reason
    assert isinstance(answer, Text)  # noqa: S101, what is finished is one
    markdown = answer.text.strip()
    found = code_of(markdown, case.language)
    if not found:
        return Reason("code-block", f"not one block in {case.language}")
    if in_plain(plain(markdown), found) is None or not is_markdown(markdown):
        return Reason("style", "the code is not once in the plain text, or it is no Markdown")
    prose = prose_of(markdown, found)
    if reason := bad_prose(prose, markdown) or bad_plain(prose):
        return reason
    ends = run_times(sandbox, Program(found, case.tests, case.language), TIMES)
    steady = len(ends) == TIMES and len({one.end for one in ends}) == 1
    return Sample(markdown, found, ends[0].end if steady else "unsteady")


def _pair(sandbox: Sandbox, case: Case, samples: Sequence[Sample]) -> Pair | None:
    """The nearest two whose six texts, read and run again, end as they should."""
    right = [sample for sample in samples if sample.end == "pass"]
    wrong = [sample for sample in samples if sample.end == "wrong-output"]
    lengths = [[sample.markdown for sample in side] for side in (right, wrong)]
    for one, other in nearest_pairs(*lengths):
        sides = right[one], wrong[other]
        if repeated([sample.styles for sample in sides]) is not None:
            continue
        ends = _styled_ends(sandbox, case, sides[0]), _styled_ends(sandbox, case, sides[1])
        if all({sample.end} == set(of) for sample, of in zip(sides, ends, strict=True)):
            return Pair(*sides, ends)
    return None


def _styled_ends(sandbox: Sandbox, case: Case, sample: Sample) -> tuple[str, ...]:
    """How the code of each of the three texts ends, read from it again."""
    concise, detailed, markdown = sample.styles
    texts = (concise, in_plain(detailed, sample.code), code_of(markdown, case.language))
    return tuple(
        run_program(sandbox, Program(text, case.tests, case.language)).end if text else "no-code"
        for text in texts
    )


def _lacking(samples: Sequence[Sample], told: Sequence[Json]) -> Reason:
    ends = {sample.end for sample in samples}
    if "pass" not in ends:
        return Reason("none-passes", counted(told))
    return Reason("duplicate" if "wrong-output" in ends else "none-is-wrong", counted(told))
