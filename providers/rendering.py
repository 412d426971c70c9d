"""Text for servers that apply no chat template themselves.

The text comes from the user's Jinja file, or from the model's own tokenizer (extra `local`).
Either way the text of the template is part of the scorer's identity.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.calls import RewardCall
from rmjudge.errors import UsageError

if TYPE_CHECKING:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

Messages = list[dict[str, str]]


def conversation(prompt: str, response: str) -> Messages:
    """The turns that a reward model scores."""
    return [
        {"role": "user", "content": prompt},
        {"role": "assistant", "content": response},
    ]


def messages_of(call: RewardCall) -> Messages:
    """The turns of a call, its response the last of them."""
    if not call.turns:
        return conversation(call.prompt, call.response)
    turns = [{"role": role, "content": text} for role, text in call.turns]
    return [*turns, {"role": "assistant", "content": call.response}]


def probe_of(roles: Sequence[str]) -> RewardCall:
    """A call with messages of these roles, each with a text of its own."""
    turns = tuple((role, f"message-{number}-of-it") for number, role in enumerate(roles, 1))
    written = " ".join(text for _, text in turns)
    return RewardCall(written, "response-to-it", turns=turns)


def lacks_turns(render: Callable[[Messages], str], roles: Sequence[str]) -> str:
    """What is wrong with a render of messages of these roles; empty where it holds all, in order.

    A template may be made for one prompt alone, and leave out the others without a word.
    """
    messages = messages_of(probe_of(roles))
    try:
        text = render(messages)
    except UsageError as error:
        return str(error)
    at = 0
    for message in messages:
        at = text.find(message["content"], at)
        if at < 0:
            return f"its template leaves out messages of a conversation ({', '.join(roles)})"
    return ""


@dataclass(frozen=True)
class ChatTemplate:
    """Renders a conversation; `source` is what it is made of, for the scorer's identity.

    `bos` is what the text begins with where the template writes a token for the beginning.
    """

    source: str
    render: Callable[[Messages], str]
    bos: str = ""


def template_from_file(path: Path) -> ChatTemplate:
    """Compile a Jinja chat template, as `tokenizer_config.json` holds them (`messages`).

    It runs in Jinja's immutable sandbox: a template cannot reach Python.

    Raises:
        UsageError: the file cannot be read, or does not render a conversation.
    """
    try:
        source = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the template {path} cannot be read: {error}") from error
    template = ChatTemplate(source, compile_template(source, str(path)))
    probe = conversation("the-prompt", "the-response")
    text = template.render(probe)
    for part in ("the-prompt", "the-response"):
        if part not in text:
            raise UsageError(
                f"the template {path} leaves out {part}; it is given `messages`, a list of "
                "{role, content}, the user's and the assistant's turn"
            )
    return template


def compile_template(source: str, name: str) -> Callable[[Messages], str]:
    """Compile in the sandbox, with what chat templates expect (`raise_exception`, blocks trimmed).

    Raises:
        UsageError: it does not compile; the returned function raises it where rendering fails.
    """
    from jinja2 import StrictUndefined, TemplateError

    from rmjudge.judging.templates import RENDERING_FAULTS

    def refuse(message: Any) -> None:
        raise UsageError(f"the template {name} refuses the conversation: {message}")

    environment = _environment(undefined=StrictUndefined, keep_trailing_newline=True)
    environment.globals["raise_exception"] = refuse
    try:
        template = environment.from_string(source, globals=dict(_GIVEN))
    except TemplateError as error:
        raise UsageError(f"the template {name} does not compile: {error}") from error

    def render(messages: Messages) -> str:
        try:
            return template.render(messages=messages, bos_token="", eos_token="")
        except RENDERING_FAULTS as error:
            raise UsageError(f"the template {name} does not render: {error}") from error

    return render


def try_chat_template(
    source: str,
    name: str,
    messages: Messages,
    *,
    tokens: Mapping[str, str],
    today: date,
    **options: bool,
) -> str:
    """Render once, as `dated_template` does.

    `tokens` are the texts of the tokenizer's named tokens.

    Raises:
        UsageError: it does not compile, or does not render `messages`.
    """
    from rmjudge.judging.templates import RENDERING_FAULTS

    try:
        return dated_template(source, today)(messages=messages, **tokens, **options)
    except RENDERING_FAULTS as error:
        raise UsageError(
            f"{name} does not render a conversation: {error}; give a sound one with --template FILE"
        ) from error


@lru_cache(maxsize=8)
def dated_template(source: str, today: date) -> Callable[..., str]:
    """A chat template with what transformers gives it, but for the clock, which stays at one day.

    Names that are not set are empty. transformers itself takes no clock from its callers.

    Raises:
        TemplateError: it does not compile; rendering raises others of `RENDERING_FAULTS`.
    """

    def refuse(message: Any) -> None:
        raise ValueError(message)

    environment = _environment()
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = datetime.combine(today, time()).strftime
    return environment.from_string(source, globals=dict(_GIVEN)).render


_GIVEN: Final[Mapping[str, Any]] = {
    "tools": None,
    "documents": None,
    "add_generation_prompt": False,
}


def _environment(**options: Any) -> ImmutableSandboxedEnvironment:
    """Jinja's sandbox with what transformers gives chat templates: tags, `break`, `tojson`."""
    from jinja2 import nodes
    from jinja2.ext import Extension, loopcontrols
    from jinja2.parser import Parser
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """Marks what the assistant wrote, for training; here its body alone counts."""

        tags = {"generation"}  # noqa: RUF012 - as Jinja declares it

        def parse(self, parser: Parser) -> list[nodes.Node]:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def to_json(value: Any, **written: Any) -> str:
        return json.dumps(value, **{"ensure_ascii": False, **written})

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols], **options
    )
    environment.filters["tojson"] = to_json
    return environment


def template_from_tokenizer(model: str) -> ChatTemplate:
    """Take the chat template of the model's tokenizer.

    Raises:
        UsageError: the extra `local` is not installed, or the tokenizer cannot be had.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise UsageError(
            f"{model}: the server wants rendered text; install the tokenizer's library with "
            "pip install 'rmjudge[local]', or give the chat template with --template FILE"
        ) from error
    try:
        tokenizer = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
        source = str(tokenizer.get_chat_template())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{model}: no tokenizer with a chat template: {error}; "
            "give the template with --template FILE"
        ) from error

    def render(messages: Messages) -> str:
        return str(tokenizer.apply_chat_template(messages, tokenize=False))

    return ChatTemplate(source, render, str(tokenizer.bos_token or ""))
