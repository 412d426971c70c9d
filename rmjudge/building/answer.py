"""The recipe `answer`: a known final answer decides which sample of a model is right.

Pure but for the grader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from rmjudge.building.cases import Case
from rmjudge.building.checks import Reason, unfinished
from rmjudge.building.outcomes import Outcome, Triple
from rmjudge.building.sampling import ROUNDS, asked, counted, nearest_pairs
from rmjudge.building.styling import plain
from rmjudge.building.writing import EXAMPLE, Asking, Tools, concise, detailed, proven, rejected
from rmjudge.calls import Answer, Json, Text
from rmjudge.errors import DataError
from rmjudge.grading.grader import Grader, Grading, Verdict, has_unit
from rmjudge.grading.statements import statements, word_of
from rmjudge.text import quote

_RIGHT: Final = "as it is known"
_WRONG: Final = "another one"
_EXAMPLES: Final = (_RIGHT, _WRONG)


@dataclass(frozen=True, slots=True)
class Sample:
    """A response that can be used, what it states, and whether that is the known answer."""

    markdown: str
    stated: str
    verdict: Verdict


def answer(tools: Tools, case: Case) -> Asking:
    """Samples of one model, compared with the answer; the nearest in length of both sides."""
    grader = tools.grader
    assert grader is not None  # noqa: S101, opened where a prompt has an answer
    final = _final(case.answer)
    samples: list[Sample] = []
    told: list[Json] = []
    pair: tuple[Sample, Sample] | None = None
    for turn in range(ROUNDS):
        answers = yield asked(tools, case, turn, _example, final=final)
        for reply in answers:
            read = _read(grader, case, reply)
            told.append(read.word if isinstance(read, Reason) else read.verdict)
            if isinstance(read, Sample):
                samples.append(read)
        if pair := _pair(samples):
            break
    about: dict[str, Json] = {
        "reference": case.reference,
        "answer": case.answer,
        "samples": told,
    }
    if pair is None:
        return rejected("grade", _lacking(samples, told), about)
    about["stated"] = {"chosen": pair[0].stated, "rejected": pair[1].stated}
    sides: list[Triple] = []
    for sample in pair:
        short = yield from concise(
            tools,
            case,
            sample.markdown,
            partial(_other_answer, grader, case, sample),
            final,
        )
        if isinstance(short, Outcome):
            return rejected("concise", short.reason or Reason("other-answer"), about)
        sides.append((short, plain(sample.markdown), sample.markdown))
    graded = [[grader.grade(text, case.answer) for text in side] for side in sides]
    about["graded"] = {"chosen": list(graded[0]), "rejected": list(graded[1])}
    if [set(side) for side in graded] != [{"equal"}, {"different"}]:
        return rejected("grade", Reason("unsteady", counted(graded[0] + graded[1])), about)
    return proven(sides[0], sides[1], Outcome("kept", proof="answer", about=about))


def _read(grader: Grading, case: Case, reply: Answer) -> Sample | Reason:
    """A sample that can be used, and what its plain and its Markdown text both state."""
    if reason := unfinished(reply):
        return reason
    assert isinstance(reply, Text)  # noqa: S101, what is finished is one
    markdown = reply.text.strip()
    if reason := detailed(markdown):
        return reason
    text = plain(markdown)
    verdict = grader.grade(text, case.answer)
    if verdict != grader.grade(markdown, case.answer):
        verdict = "unread"
    return Sample(markdown, next(reversed(statements(text)), ""), verdict)


def _pair(samples: Sequence[Sample]) -> tuple[Sample, Sample] | None:
    """The nearest two in length."""
    right = [sample for sample in samples if sample.verdict == "equal"]
    wrong = [sample for sample in samples if sample.verdict == "different"]
    lengths = [[sample.markdown for sample in side] for side in (right, wrong)]
    for one, other in nearest_pairs(*lengths):
        return right[one], wrong[other]
    return None


def _other_answer(grader: Grading, case: Case, sample: Sample, text: str) -> Reason | None:
    """Whether a concise text states another answer than its Markdown text, or none."""
    same = grader.grade(text, sample.stated) == "equal"
    if same and grader.grade(text, case.answer) == sample.verdict:
        return None
    return Reason("other-answer", f"not {sample.stated} but {' / '.join(statements(text))}")


def _lacking(samples: Sequence[Sample], told: Sequence[Json]) -> Reason:
    right = any(sample.verdict == "equal" for sample in samples)
    return Reason("none-is-wrong" if right else "none-is-right", counted(told))


def _final(known: str) -> str:
    """How the writer is told to state its answer, so that it can be compared with the known one."""
    if word := word_of(known):
        return "one letter alone" if len(word[0]) == 1 else f"{' or '.join(sorted(word[1]))} alone"
    return "with its unit" if has_unit(known) else "without a unit and without words"


@contextmanager
def grader_for(cases: Sequence[Case]) -> Iterator[Grader | None]:
    """A grader that can read all answers; None where no prompt has one.

    Raises:
        DataError: names the answers that nothing can be compared with. UsageError: math-verify
            is missing, or does not start.
    """
    known = [case for case in cases if case.answer]
    if not known:
        yield None
        return
    with closing(Grader()) as grader:
        unreadable = set(grader.unreadable({case.answer for case in known}))
        problems = [
            f"prompt {case.id}: answer {quote(case.answer)} cannot be compared with others"
            for case in known
            if case.answer in unreadable
        ]
        if problems:
            raise DataError(problems)
        yield grader


def _example(number: int) -> str:
    """A right and a wrong sample in turn, for estimates."""
    return f"{EXAMPLE}\n\n**Answer: {_WRONG if number % 2 else _RIGHT}**"


class Rehearsal:
    """Tells the examples of a rehearsal apart; kept texts of models are graded as ever."""

    def __init__(self, grader: Grading) -> None:
        """Take the grader of a build."""
        self._grader = grader

    def grade(self, text: str, answer: str) -> Verdict:
        """Compare what a text states with an answer."""
        *_, last = "", *statements(text)
        return self.compare(last, answer) if last in _EXAMPLES else self._grader.grade(text, answer)

    def compare(self, one: str, other: str) -> Verdict:
        """Compare two answers."""
        if one not in _EXAMPLES:
            return self._grader.compare(one, other)
        return "equal" if one in (_RIGHT, other) else "different"
