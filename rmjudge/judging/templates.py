"""Prompts of the user's own: a Jinja file in the place of a method's frame.

A pairwise template is given `prompt`, `response_a` and `response_b`; a pointwise one `prompt`
and `response`. With the blocks `system` and `user` it fills both turns, else the user's alone.
It runs in Jinja's immutable sandbox, and is tried out before any call.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rmjudge.calls import Call, CompareCall, RewardCall
from rmjudge.errors import UsageError
from rmjudge.judging import rating, verdict
from rmjudge.judging.methods import JudgingMethod, reading_text
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.vocabulary import Method

_PROBES: Final[dict[Method, Call]] = {
    "pairwise": CompareCall("the-prompt", "the-first-response", "the-second-response"),
    "pointwise": RewardCall("the-prompt", "the-response"),
}
_ANY_VERDICT: Final = "any-verdict/1"
RENDERING_FAULTS: Final = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What Python raises for a template's faults, such as an `include` (there is nothing to load)."""


def fields_of(call: Call) -> dict[str, str]:
    """What a template is given."""
    if isinstance(call, CompareCall):
        return {"prompt": call.prompt, "response_a": call.first, "response_b": call.second}
    return {"prompt": call.prompt, "response": call.response}


def with_template(method: JudgingMethod, path: Path) -> JudgingMethod:
    """Return the method with the user's frame instead of its own.

    A reasoning method then accepts a verdict of any common form, since the template says
    what form it asks for.

    Raises:
        UsageError: the file cannot be read or compiled, or it leaves out a field.
    """
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the template {path} cannot be used: {error}") from error
    return with_source(method, source, str(path))


def with_source(method: JudgingMethod, source: str, path: str) -> JudgingMethod:
    """Do what `with_template` does with a template's text; `path` is what messages call it by.

    Raises:
        UsageError: it cannot be compiled, or it leaves out a field.
    """
    try:
        template = _environment().from_string(source)
    except TemplateError as error:
        raise UsageError(f"the template {path} cannot be used: {error}") from error

    def prompt(call: Call) -> JudgePrompt:
        try:
            return _render(template, call)
        except RENDERING_FAULTS as error:
            known = ", ".join(fields_of(call))
            raise UsageError(
                f"the template {path} does not render: {error}; it is given {known}"
            ) from error

    _check(path, method.scores, prompt(_PROBES[method.scores]))
    framed = replace(method, template=source, prompt=prompt, shares_prefix=False)
    if method.needs_logprobs:
        return framed
    if method.scores == "pointwise":
        return replace(framed, read=reading_text(rating.parse_rating))
    return replace(framed, parser=_ANY_VERDICT, read=reading_text(verdict.parse_any_verdict))


def _environment() -> ImmutableSandboxedEnvironment:
    # Responses are data: nothing is escaped, and nothing in them is a template.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)


def _render(template: Template, call: Call) -> JudgePrompt:
    fields = fields_of(call)
    if "user" not in template.blocks:
        return JudgePrompt(system="", prompt="", responses=template.render(fields))
    context = template.new_context(fields)
    texts = {
        name: "".join(template.blocks[name](context)).strip() if name in template.blocks else ""
        for name in ("system", "user")
    }
    return JudgePrompt(system=texts["system"], prompt="", responses=texts["user"])


def _check(path: str, scores: Method, rendered: JudgePrompt) -> None:
    text = f"{rendered.system}\n{rendered.user}"
    for name, value in fields_of(_PROBES[scores]).items():
        if value not in text:
            raise UsageError(
                f"the template {path} leaves out {{{{ {name} }}}}; a {scores} template shows "
                f"{', '.join(fields_of(_PROBES[scores]))}"
            )
