"""A way of judging as the user sets it: template, inputs, rule and scale together.

A rule is tried on the forms that the question itself asks for, before anything is paid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.judging import rules
from rmjudge.judging.deciding import Read
from rmjudge.judging.marks import Find, boxes, brackets, json_winners, results, tags
from rmjudge.judging.methods import METHODS, JudgingMethod, reading_text
from rmjudge.judging.rating import DEFAULT, Scale, parse_rating
from rmjudge.judging.spelling import either, even
from rmjudge.judging.templates import shown_text, with_source, with_template
from rmjudge.judging.writing import GENERATION
from rmjudge.vocabulary import RULES

_LOOKS: Final[Mapping[str, tuple[Find, str]]] = {
    "boxed": (boxes, "\\boxed{...}"),
    "brackets": (brackets, "[[...]]"),
    "answer-tag": (tags, "<answer>...</answer>"),
    "result-tag": (results, "[RESULT] ..."),
    "json": (json_winners, "JSON"),
}


def judging_for(
    name: str,
    *,
    template: Path | None = None,
    inputs: Mapping[str, str] | None = None,
    rule: str | None = None,
    scale: tuple[float, float] | None = None,
) -> JudgingMethod:
    """Make the way of judging that these options ask for.

    Raises:
        UsageError: an option is wrong, or the rule does not read what the question asks for.
    """
    if name == GENERATION.name:
        return GENERATION
    method = METHODS[name]
    if method.scores == "choice" and (template or rule or scale):
        raise UsageError(
            f"--method {name} has its own question and way of reading; leave --template, "
            "--verdict and --scale out"
        )
    if template is not None:
        method = with_template(method, template, inputs)
    elif inputs:
        raise UsageError(
            f"--input {next(iter(inputs))}: inputs are for a --template that names them"
        )
    return with_rule(method, rule, scale, tried=True)


def judging_again(
    name: str, source: str | None, settings: Mapping[str, Json], who: str
) -> JudgingMethod:
    """Make a way of judging again from a stored identity.

    Raises:
        UsageError: this version cannot.
    """
    method = METHODS[name]
    if source is not None:
        inputs = settings.get("inputs")
        given = inputs if isinstance(inputs, dict) else {}
        method = with_source(method, source, who, {key: str(text) for key, text in given.items()})
    rule, scale = settings.get("verdict"), settings.get("scale")
    ends = tuple(float(str(end)) for end in scale) if isinstance(scale, list) else ()
    return with_rule(
        method,
        rule if isinstance(rule, str) else None,
        (ends[0], ends[1]) if len(ends) == 2 else None,
        tried=False,
    )


def with_rule(
    method: JudgingMethod,
    rule: str | None,
    scale: tuple[float, float] | None,
    *,
    tried: bool,
) -> JudgingMethod:
    """Return the method with the user's rule for its replies.

    Raises:
        UsageError: they do not go together.
    """
    if rule is None and scale is None:
        return method
    if method.needs_logprobs:
        what = "--verdict" if rule is not None else "--scale"
        raise UsageError(f"{what} reads words, and {method.name} reads token probabilities")
    ends = None if scale is None else Scale(*scale)
    settings: dict[str, Json] = dict(method.settings)
    if rule is not None:
        settings["verdict"] = rule
    if scale is not None:
        settings["scale"] = list(scale)
    if rule is None:
        if method.scores == "pairwise":
            raise UsageError("--scale is for ratings, or goes with --verdict scores or rank")
        if method.template == METHODS[method.name].template:
            raise UsageError(
                f"--scale: the question asks for a rating from {DEFAULT}; give your own with "
                "--template"
            )
        read = reading_text(lambda answer: parse_rating(answer, ends or DEFAULT))
        return replace(method, read=read, settings=settings)
    reader = rules.reader_for(rule, method.scores, ends)
    remark = _tried(method, rule) if tried else ""
    return replace(
        method,
        read=reading_text(reader),
        parser=f"{rules.PARSER}",
        settings=settings,
        remark=remark,
    )


def _tried(method: JudgingMethod, rule: str) -> str:
    """Compare a rule with the forms that the question asks for; return what cannot be known.

    Raises:
        UsageError: the question asks for other forms than the rule reads.
    """
    text = even(shown_text(method))
    asked = {name: list(find(text)) for name, (find, _) in _LOOKS.items()}
    asked = {name: marks for name, marks in asked.items() if marks}
    shown = ", ".join(_LOOKS[name][1] for name in asked)
    unknown = f"the question shows no form of answer, so that --verdict {rule} was not tried on it"
    own = method.template != METHODS[method.name].template
    if not asked:
        return unknown
    if rule in _LOOKS:
        if rule not in asked:
            raise UsageError(
                f"--verdict {rule} reads {_LOOKS[rule][1]}, and the question asks for {shown}; "
                f"take --verdict {next(iter(asked))}, or change the template"
            )
        return ""
    if rule in RULES or method.scores == "pointwise":
        return ""
    # A pattern: it is tried on the verdicts that the question shows, each as a reply.
    examples = [
        Read(mark, either(mark.content, numbers=True))
        for marks in asked.values()
        for mark in marks
        if mark.content is not None
    ]
    concrete = [item for item in examples if item.value is not None]
    pattern = re.compile(rule)
    lines = [_line(text, item) for item in concrete]
    if lines and own and not any(pattern.search(line) for line in lines):
        raise UsageError(
            f"--verdict {rule!r} matches none of the forms that the template asks for ({shown}): "
            f"it was tried on {lines[0].strip()[:80]!r}"
        )
    return "" if lines and own else unknown


def _line(text: str, item: Read) -> str:
    start = text.rfind("\n", 0, item.mark.start) + 1
    end = text.find("\n", item.mark.end)
    return text[start : end if end >= 0 else len(text)]
