"""Prompts of the user's own: a Jinja file in the place of a method's frame.

A pairwise template is given `prompt`, `response_a` and `response_b`; a pointwise one `prompt`
and `response`; both the user's inputs. With the blocks `system` and `user` it fills both turns,
else the user's alone; further blocks, such as `response_1`, are turns of roles of these names, in
the order of the file. It runs in Jinja's immutable sandbox, and is tried out before any call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rmjudge.calls import Call, ChooseCall, CompareCall, GenerateCall, RewardCall
from rmjudge.errors import UsageError
from rmjudge.judging import rating, verdict
from rmjudge.judging.methods import JudgingMethod, reading_text
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.vocabulary import Method

_PROBES: Final[dict[Method, Call]] = {
    "pairwise": CompareCall("the-prompt", "the-first-response", "the-second-response"),
    "pointwise": RewardCall("the-prompt", "the-response"),
}
_ANY_VERDICT: Final = "any-verdict/4"
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
    if isinstance(call, (GenerateCall, ChooseCall)):
        raise TypeError("templates are for pairs and single responses")
    return {"prompt": call.prompt, "response": call.response}


def with_template(
    method: JudgingMethod, path: Path, inputs: Mapping[str, str] | None = None
) -> JudgingMethod:
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
    return with_source(method, source, str(path), inputs)


def with_source(
    method: JudgingMethod, source: str, path: str, inputs: Mapping[str, str] | None = None
) -> JudgingMethod:
    """Do what `with_template` does with a template's text; `path` is what messages call it by.

    Raises:
        UsageError: it cannot be compiled, or it leaves out a field or an input.
    """
    inputs = dict(inputs or {})
    environment = _environment()
    try:
        parsed = environment.parse(source)
        template = environment.from_string(source)
    except TemplateError as error:
        raise UsageError(f"the template {path} cannot be used: {error}") from error
    _check_inputs(path, method.scores, inputs, meta.find_undeclared_variables(parsed))
    roles = _roles(parsed)

    def prompt(call: Call) -> JudgePrompt:
        fields = {**fields_of(call), **inputs}
        try:
            return _render(template, fields, roles)
        except RENDERING_FAULTS as error:
            known = ", ".join(fields)
            raise UsageError(
                f"the template {path} does not render: {error}; it is given {known}"
            ) from error

    _check(path, method.scores, prompt(_PROBES[method.scores]))
    framed = replace(
        method,
        template=source,
        prompt=prompt,
        shares_prefix=False,
        own_roles=bool(set(roles) - {"system", "user"}),
        settings={**method.settings, **({"inputs": dict(inputs)} if inputs else {})},
    )
    if method.needs_logprobs:
        return framed
    if method.scores == "pointwise":
        return replace(framed, read=reading_text(rating.parse_rating))
    return replace(framed, parser=_ANY_VERDICT, read=reading_text(verdict.parse_any_verdict))


def _environment() -> ImmutableSandboxedEnvironment:
    # Responses are data: nothing is escaped, and nothing in them is a template.
    return ImmutableSandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False)


def _roles(parsed: nodes.Template) -> tuple[str, ...]:
    """The blocks that are chat turns; none where the whole text is the user's turn."""
    named = [item.name for item in parsed.body if isinstance(item, nodes.Block)]
    # Blocks without a user's turn or a response's are the template's own affair.
    turns = "user" in named or any(name.startswith("response") for name in named)
    return tuple(named) if turns else ()


def _render(template: Template, fields: Mapping[str, str], roles: tuple[str, ...]) -> JudgePrompt:
    if not roles:
        return JudgePrompt(system="", prompt="", responses=template.render(fields))
    context = template.new_context(dict(fields))
    texts = {name: "".join(template.blocks[name](context)).strip() for name in roles}
    if set(roles) <= {"system", "user"}:
        return JudgePrompt(system=texts.get("system", ""), prompt="", responses=texts["user"])
    turns = tuple((role, text) for role, text in texts.items() if text or role != "system")
    return JudgePrompt(system="", prompt="", responses="", turns=turns)


def _check_inputs(path: str, scores: Method, inputs: Mapping[str, str], asked: set[str]) -> None:
    fields = fields_of(_PROBES[scores])
    for name in inputs:
        if name in fields:
            raise UsageError(f"--input {name}: a template is given {name} from the data")
        if name not in asked:
            raise UsageError(
                f"--input {name}: the template {path} does not use {{{{ {name} }}}}; it names "
                f"{', '.join(sorted(asked)) or 'nothing'}"
            )


def _check(path: str, scores: Method, rendered: JudgePrompt) -> None:
    text = "\n".join(text for _, text in rendered.chat)
    for name, value in fields_of(_PROBES[scores]).items():
        if value not in text:
            raise UsageError(
                f"the template {path} leaves out {{{{ {name} }}}}; a {scores} template shows "
                f"{', '.join(fields_of(_PROBES[scores]))}"
            )


def shown_text(method: JudgingMethod) -> str:
    """The question without the texts that are judged: what is rendered for a fixed call."""
    return "\n".join(text for _, text in method.prompt(_PROBES[method.scores]).chat)
