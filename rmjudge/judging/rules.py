r"""How a reply reads where the user says so: `--verdict RULE`.

============  ==================================================  =====================
rule          two responses                                       one response
============  ==================================================  =====================
boxed         `\boxed{A>B}`, `\boxed{A}`                          `\boxed{7}`
brackets      `[[A]]`, `[[A>B]]`                                  `[[7]]`
answer-tag    `<answer>A</answer>` and its kin                    `<score>7</score>`
result-tag    `[RESULT] A`, `**Result:** A`                       `[RESULT] 4`
scores        two numbers, the higher wins: `8 6`, `\boxed{8, 6}`  -
rank          an order, the better first: `A > B`, `2, 1`; with   -
              a scale one number, its low end for the first
json          `"winner": "A"`, an order or two scores             `"score": 7`
letter        `A`, `Response 1`, `Output (a)` as the last line    -
============  ==================================================  =====================

1 and 2 stand for A and B. Anything else is a regular expression with the group `winner`, the
groups `score_a` and `score_b`, or (for one response) the group `score`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from rmjudge.calls import Answer, Reward, Unscored, Verdict
from rmjudge.errors import UsageError
from rmjudge.judging.deciding import Read, decide
from rmjudge.judging.marks import (
    Find,
    Mark,
    boxes,
    brackets,
    json_ratings,
    json_winners,
    last_object,
    results,
    tags,
)
from rmjudge.judging.rating import DEFAULT, Scale, on_scale, parse_rating
from rmjudge.judging.reasoning import strip_reasoning
from rmjudge.judging.spelling import either, even, plain, winner, without_latex
from rmjudge.judging.verdict import read_verdict
from rmjudge.metrics.tallies import TIE
from rmjudge.vocabulary import RULES, Method

PARSER: Final = "rule/3"
FORM_OF: Final[Mapping[str, Find]] = {
    "boxed": boxes,
    "brackets": brackets,
    "answer-tag": tags,
    "result-tag": results,
    "json": json_winners,
}
_RATING_FORM_OF: Final[Mapping[str, Find]] = {**FORM_OF, "json": json_ratings}
_NUMBER: Final = r"[+-]?\d+(?:\.\d+)?(?: ?/ ?\d+)?"
_LABEL: Final = r"(?i:(?:final |overall )?(?:scores?|ratings?|ranking|order|rank))\s?:"
_TWO: Final = re.compile(rf"\W*?({_NUMBER})(?: ?[,;|&] ?| +| and )({_NUMBER})\W*")
_LINE_OF_NUMBERS: Final = re.compile(
    rf"^[ \t>*_`#([]{{0,8}}(?:{_LABEL}[ \t>*_`#([]{{0,8}})?"
    rf"{_NUMBER}(?:(?:[ \t]*[,;|&][ \t]*|[ \t]+| and ){_NUMBER})*"
    r"[ \t*_`)\].]{0,8}$",
    re.MULTILINE,
)
_ORDER: Final = re.compile(r"(.{1,40}?)\s*(?:,|;|>+|≻|≫|\bthen\b|\bover\b)\s*(.{1,40})")
_LINE_OF_ORDER: Final = re.compile(
    r"^[ \t>*_`#([]{0,8}"
    rf"(?:{_LABEL}[ \t>*_`#([]{{0,8}})?"
    r"(?:[A-Za-z]+[ _-]?)?\W{0,3}[ABab12]\W{0,3}[ \t]*(?:[,;=]|>+|<+|≻|≫|≺|≪)"
    r"[ \t]*(?:[A-Za-z]+[ _-]?)?\W{0,3}[ABab12]\W{0,4}$",
    re.MULTILINE | re.IGNORECASE,
)

_PLACES: Final = re.compile(r"rank|place|position|order|standing", re.IGNORECASE)
"""Keys whose numbers are places: 1 is the best."""
_OF_THE_WORSE: Final = re.compile(
    r"wors[et]|loser|rejected|error|penalt|flaw|mistake", re.IGNORECASE
)


def reader_for(rule: str, scores: Method, scale: Scale | None) -> Callable[[str], Answer]:
    """What reads the visible text of a reply by a rule.

    Raises:
        UsageError: it is no rule, or none for such replies.
    """
    if rule in RULES:
        return _rating_by(rule, scale) if scores == "pointwise" else _verdict_by(rule, scale)
    return _by_pattern(rule, scores, scale)


def _rating_by(rule: str, scale: Scale | None) -> Callable[[str], Answer]:
    form = _RATING_FORM_OF.get(rule)
    if form is None:
        known = ", ".join(_RATING_FORM_OF)
        raise UsageError(f"--verdict {rule} compares two responses; for ratings there are {known}")
    return lambda answer: parse_rating(answer, scale or DEFAULT, (form,))


def _verdict_by(rule: str, scale: Scale | None) -> Callable[[str], Answer]:
    if scale is not None and rule not in ("scores", "rank"):
        raise UsageError(f"--scale is for numbers, and --verdict {rule} reads none")
    if rule == "scores":
        return lambda answer: _decided(answer, lambda text: _scores(text, scale))
    if rule == "rank":
        return lambda answer: _decided(answer, lambda text: _ranks(text, scale))
    if rule == "letter":
        return _letter
    if rule == "json":
        return _json
    form = FORM_OF[rule]
    return lambda answer: read_verdict(answer, {form: lambda said: either(said, numbers=True)})


def _decided(answer: str, find: Callable[[str], list[Read]]) -> Answer:
    text = even(strip_reasoning(even(answer)))
    found = decide(text, find(text))
    return found if isinstance(found, Unscored) else Verdict(found)


def _marks(text: str, lines: re.Pattern[str]) -> Iterator[Mark]:
    for form in (boxes, brackets, tags, results):
        yield from form(text)
    for line in lines.finditer(text[-20_000:]):
        offset = max(0, len(text) - 20_000)
        yield Mark(offset + line.start(), offset + line.end(), line[0])


def _scores(text: str, scale: Scale | None) -> list[Read]:
    return [
        Read(mark, None if mark.content is None else _higher(mark.content, scale))
        for mark in _marks(text, _LINE_OF_NUMBERS)
    ]


def _higher(said: str, scale: Scale | None) -> float | None:
    unlabelled = re.sub(rf"^\W*{_LABEL}", "", said)
    match = _TWO.fullmatch(" ".join(re.sub(r"[{}$*`]", "", without_latex(unlabelled)).split()))
    return None if match is None else _compared(match[1], match[2], scale)


def _compared(first: str, second: str, scale: Scale | None) -> float | None:
    (first, _, scale_a), (second, _, scale_b) = first.partition("/"), second.partition("/")
    if scale_a and scale_b and float(scale_a) != float(scale_b):
        return None  # `8/10` and `5/5` are no two numbers of one scale
    try:
        one, other = float(first), float(second)
    except ValueError:
        return None
    if scale is not None and not all(scale.low <= score <= scale.high for score in (one, other)):
        return None
    return TIE if one == other else float(one > other)


def _ranks(text: str, scale: Scale | None) -> list[Read]:
    lines = _LINE_OF_ORDER if scale is None else _LINE_OF_NUMBERS
    return [
        Read(mark, None if mark.content is None else _rank(mark.content, scale))
        for mark in _marks(text, lines)
    ]


def _rank(said: str, scale: Scale | None) -> float | None:
    if scale is not None:
        try:
            number = float(plain(said))
        except ValueError:
            return None
        middle = (scale.low + scale.high) / 2
        if not scale.low <= number <= scale.high:
            return None
        return TIE if number == middle else float(number < middle)
    found = either(said, numbers=True) if re.search(r"[<=≺≪]", said) else None
    if found is not None:
        return found
    text = re.sub(rf"^\W*{_LABEL}", "", said)
    match = _ORDER.fullmatch(without_latex(text).strip(" \n[](){}"))
    return None if match is None else _first_of(match[1], match[2])


def _first_of(first: str, second: str) -> float | None:
    one, other = winner(first, numbers=True, ties=False), winner(second, numbers=True, ties=False)
    return one if one is not None and other is not None and one != other else None


def _letter(answer: str) -> Answer:
    lines = [line for line in even(strip_reasoning(even(answer))).splitlines() if line.strip()]
    if not lines:
        return Unscored("unparsed", "no visible answer")
    found = winner(lines[-1], numbers=True)
    if found is None:
        return Unscored("unparsed", f"the last line is no letter: {lines[-1].strip()[-160:]}")
    return Verdict(found)


def _json(answer: str) -> Answer:
    found = read_verdict(answer, {json_winners: lambda said: either(said, numbers=True)})
    if isinstance(found, Verdict) or not found.detail.startswith(("no verdict; ", "no visible")):
        return found
    whole = last_object(strip_reasoning(answer))
    value = None if whole is None else _worth_of(whole[0])
    return found if value is None else Verdict(value)


def _worth_of(value: Any, *, lowest: bool = False) -> float | None:
    """An order of two, or two scores, anywhere in a JSON value; `lowest`: the lower one wins."""
    if isinstance(value, list):
        names = [item for item in value if isinstance(item, (str, int))]
        return _first_of(*map(str, names)) if len(names) == len(value) == 2 else None
    if not isinstance(value, dict):
        return None
    numbers = {
        winner(re.sub(r"(?i)scores?|ratings?|_|-", " ", key), numbers=True, ties=False): score
        for key, score in value.items()
        if isinstance(score, (int, float)) and not isinstance(score, bool)
    }
    if {1.0, 0.0} <= set(numbers):
        found_here = _compared(str(numbers[1.0]), str(numbers[0.0]), None)
        says_lowest = any(re.search("lower|lowest|ascending", key, re.I) for key in value)
        return 1 - found_here if found_here is not None and (lowest or says_lowest) else found_here
    found = {
        worth
        for key, item in value.items()
        if not _OF_THE_WORSE.search(key)
        and (worth := _worth_of(item, lowest=bool(_PLACES.search(key)))) is not None
    }
    # An order and scores that contradict each other are no verdict; equal scores may be ordered.
    found = found - {TIE} or found
    return found.pop() if len(found) == 1 else None


def _by_pattern(rule: str, scores: Method, scale: Scale | None) -> Callable[[str], Answer]:
    try:
        pattern = re.compile(rule)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"--verdict {rule!r} is neither a rule ({', '.join(RULES)}) nor a regular expression: "
            f"{error}"
        ) from error
    groups = set(pattern.groupindex)
    wanted = [{"score"}] if scores == "pointwise" else [{"winner"}, {"score_a", "score_b"}]
    if not any(names <= groups for names in wanted):
        needs = " or ".join(f"the groups {' and '.join(sorted(names))}" for names in wanted)
        raise UsageError(
            f"--verdict {rule!r} is no rule ({', '.join(RULES)}), and as a regular expression it "
            f"needs {needs}, such as (?P<{sorted(wanted[0])[0]}>...)"
        )
    if scale is not None and scores == "pairwise" and "score_a" not in groups:
        raise UsageError("--scale is for numbers, and the group winner is none")

    def read(answer: str) -> Answer:
        text = strip_reasoning(answer)
        marks = [
            Read(Mark(match.start(), match.end(), match[0]), _matched(match, scale))
            for match in list(pattern.finditer(text))[-64:]
        ]
        what = "rating" if scores == "pointwise" else "verdict"
        found = decide(text, marks, what=what)
        if isinstance(found, Unscored):
            return found
        return (
            on_scale(found, scale or Scale(float("-inf"), float("inf")))
            if (scores == "pointwise")
            else Verdict(found)
        )

    return read


def _matched(match: re.Match[str], scale: Scale | None) -> float | None:
    said = match.groupdict()
    if said.get("winner") is not None:
        return either(said["winner"], numbers=True)
    if said.get("score_a") is not None and said.get("score_b") is not None:
        return _compared(said["score_a"], said["score_b"], scale)
    try:
        return Reward(float(said["score"])).value if said.get("score") is not None else None
    except ValueError:
        return None
