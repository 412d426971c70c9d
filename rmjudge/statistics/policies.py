"""The CSV of policies' scores: read and checked; errors name the line.

`docs/correlate.md` describes its columns.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from rmjudge.errors import UsageError
from rmjudge.text import error_line, printable, problem_list, quote, separator_of
from rmjudge.vocabulary import DOMAINS, Domain

NEEDED: Final = ("scorer", "domain", "task", "score")
COLUMNS: Final = (*NEEDED, "sft", "uncontrolled")
SMALLEST: Final = 1e-50
"""Scores lie between this and one over this, or are 0: ratios and squares must be numbers too."""
_EXAMPLE: Final = "scorer,domain,task,score,sft"
Scale: TypeAlias = Literal["score", "ratio", "drop"]
"""A score as it is, its ratio to the SFT model's, its relative change by controlling for style."""


@dataclass(frozen=True, slots=True)
class PolicyScore:
    """What the policy that was trained with a scorer reaches in a task, in the task's own unit.

    `sft` is what the policy reached before, `uncontrolled` what the same policy reaches without
    control for style; None where scores are not taken relative to it.
    """

    line: int
    scorer: str
    domain: Domain
    task: str
    score: float
    sft: float | None
    uncontrolled: float | None = None

    @property
    def scale(self) -> Scale:
        """What `value` is."""
        if self.uncontrolled is not None:
            return "drop"
        return "score" if self.sft is None else "ratio"

    @property
    def value(self) -> float:
        """The score as it is held against accuracies.

        The style-control score of RM-Bench's section 5 is (controlled - uncontrolled) /
        uncontrolled: the higher, the less the policy owes to style.
        """
        if self.uncontrolled is not None:
            return (self.score - self.uncontrolled) / self.uncontrolled
        return self.score if self.sft is None else self.score / self.sft


def read_policies(path: Path) -> tuple[PolicyScore, ...]:
    """Read and check the file.

    Raises:
        UsageError: with every line that is wrong, and why.
    """
    shown = printable(str(path))
    try:
        text = path.read_text("utf-8-sig")
        scores, problems = _read(io.StringIO(text, newline=""), separator_of(text))
    except (OSError, ValueError, csv.Error) as error:
        raise UsageError(
            f"{shown} cannot be read ({error_line(error)}); it must be a CSV file in UTF-8 whose "
            f"first line is {_EXAMPLE}"
        ) from error
    if problems:
        raise UsageError(problem_list(shown, problems))
    return scores


def _read(lines: Iterable[str], comma: str) -> tuple[tuple[PolicyScore, ...], list[str]]:
    rows = csv.reader(lines, strict=True, delimiter=comma)
    header = [name.strip().lower() for name in next(rows, [])]
    problems = _header_problems(header)
    scores: list[PolicyScore] = []
    if problems:
        return (), problems
    for row in rows:
        if not any(field.strip() for field in row):
            continue
        if len(row) != len(header):
            problems.append(
                f"line {rows.line_num}: {len(row)} fields, but the first line names {len(header)}"
            )
            continue
        found: list[str] = []
        score = _score(rows.line_num, dict(zip(header, row, strict=True)), found)
        if score is not None:
            found += _contradictions(score, scores)
            scores.append(score)
        problems += [f"line {rows.line_num}: {what}" for what in found]
    if not scores and not problems:
        problems.append("there is no line below the first")
    return tuple(scores), problems


def _header_problems(header: Sequence[str]) -> list[str]:
    missing = [name for name in NEEDED if name not in header]
    unknown = [name for name in header if name not in COLUMNS]
    twice = sorted({name for name in header if header.count(name) > 1})
    problems = []
    if missing:
        problems.append(f"line 1: no column {', '.join(missing)}; it should be {_EXAMPLE}")
    if unknown:
        names = ", ".join(map(quote, unknown))
        problems.append(f"line 1: unknown column {names}; there are {', '.join(COLUMNS)}")
    if twice:
        problems.append(f"line 1: column {', '.join(map(quote, twice))} is there twice")
    return problems


def _score(line: int, fields: dict[str, str], problems: list[str]) -> PolicyScore | None:
    scorer, domain, task = (fields[name].strip() for name in ("scorer", "domain", "task"))
    for name, text in (("scorer", scorer), ("task", task)):
        if not text:
            problems.append(f"{name} is empty")
    if domain not in DOMAINS:
        problems.append(f"domain {quote(domain)} is unknown; there are {', '.join(DOMAINS)}")
    score = _number("score", fields["score"], problems)
    sft = _divisor("sft", fields, problems)
    uncontrolled = _divisor("uncontrolled", fields, problems)
    if fields.get("uncontrolled", "").strip() and domain in DOMAINS and domain != "chat":
        problems.append(f"uncontrolled is for style-control scores in chat, not for {domain}")
    elif sft is not None and uncontrolled is not None:
        problems.append("a score is relative to sft or to uncontrolled; leave one of them empty")
    if not fields.get("sft", "").strip() and domain in DOMAINS and domain != "chat":
        problems.append(f"sft is empty; {domain} needs the SFT baseline's score in {quote(task)}")
    if problems or score is None:
        return None
    return PolicyScore(line, scorer, domain, task, score, sft, uncontrolled)


def _divisor(name: str, fields: dict[str, str], problems: list[str]) -> float | None:
    """What a score is divided by, None where the field is empty."""
    text = fields.get(name, "").strip()
    number = _number(name, text, problems) if text else None
    if number is not None and number <= 0:
        problems.append(f"{name} must be above 0: the score is divided by it")
    return number


def _number(name: str, text: str, problems: list[str]) -> float | None:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        problems.append(f"{name} {quote(text)} is no number")
        return None
    if number and not SMALLEST <= abs(number) <= 1 / SMALLEST:
        between = f"{SMALLEST:g} and {1 / SMALLEST:g}"
        problems.append(f"{name} {quote(text)} is no number between {between}")
        return None
    return number


def _contradictions(score: PolicyScore, earlier: Sequence[PolicyScore]) -> list[str]:
    problems = []
    for other in earlier:
        if (other.domain, other.task) != (score.domain, score.task):
            continue
        if other.scorer == score.scorer:
            problems.append(f"{quote(score.scorer)} has a score in this task in line {other.line}")
        if other.sft != score.sft:
            problems.append(
                f"sft is {_shown(score.sft)}, but {_shown(other.sft)} in line {other.line}; "
                "the policies of a task start from one SFT model"
            )
            break
        if (other.uncontrolled is None) != (score.uncontrolled is None):
            problems.append(
                f"uncontrolled is {'empty' if score.uncontrolled is None else 'given'}, and not so "
                f"in line {other.line}; a task has it in every line or in none"
            )
            break
    return problems


def _shown(sft: float | None) -> str:
    return "empty" if sft is None else f"{sft:g}"
