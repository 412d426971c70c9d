"""The chat template of a local model: tried before anything is loaded, and its date settled.

A template that drops the response gives all responses of a prompt one reward; one that writes
today's date gives other rewards tomorrow. Neither is seen from the numbers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from rmjudge.calls import Json
from rmjudge.errors import UsageError
from rmjudge.providers.local.files import ModelFiles
from rmjudge.providers.local.settings import LocalSettings
from rmjudge.providers.rendering import (
    Messages,
    conversation,
    dated_template,
    lacks_turns,
    try_chat_template,
)

PROMPT, RESPONSE = "the-prompt", "the-response"
_LONG: Final = "\n\nIt goes on, line by line," + " and on" * 1000 + "\n\nto the end."
"""Behind a text: a template that cuts texts leaves out some of it."""
_DAYS: Final = (date(2001, 2, 3), date(2012, 11, 24))
"""Two days without a common number: a template that writes any part of the date differs."""


@dataclass(frozen=True, slots=True)
class Template:
    """A chat template's text, and a render of it.

    `day` is the date that it is to write, None for a template that writes none.
    """

    source: str
    text: str
    day: date | None = None

    @property
    def described(self) -> dict[str, Json]:
        """What the date adds to the scorer's identity."""
        return {} if self.day is None else {"template_date": self.day.isoformat()}

    @property
    def remarks(self) -> list[str]:
        """What the report says of it."""
        if self.day is None:
            return []
        return [f"the chat template writes the date; it is {self.day} here (--template-date)"]

    def refuses(self, roles: Sequence[str], files: ModelFiles) -> str:
        """Why messages of these roles cannot be rendered; empty where they can."""
        return lacks_turns(
            lambda messages: try_chat_template(
                self.source,
                "its chat template",
                messages,
                tokens=files.special_tokens,
                today=self.day or _DAYS[0],
            ),
            roles,
        )

    def render(self, tokenizer: Any, turns: Messages, **options: bool) -> str:
        """The turns as the model reads them.

        Raises:
            Exception: one of `RENDERING_FAULTS`: the template refuses them.
        """
        if self.day is not None:
            made = dated_template(self.source, self.day)
            return made(messages=turns, **{**tokenizer.special_tokens_map, **options})
        return str(
            tokenizer.apply_chat_template(
                turns, chat_template=self.source, tokenize=False, **options
            )
        )


def scoring_template(files: ModelFiles, settings: LocalSettings) -> Template:
    """The template of conversations: the user's, or else the tokenizer's.

    Raises:
        UsageError: there is none, it does not render a conversation, or leaves out a text.
    """
    source, name = files.chat_template, f"{files.name}: its chat template"
    if settings.template is not None:
        name = f"the template {settings.template}"
        try:
            source = settings.template.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{name} cannot be read: {error}") from error
    if source is None:
        raise UsageError(
            f"{files.name}: its tokenizer has no chat template; give the one it was trained with: "
            "--template FILE (Jinja: messages)"
        )
    return _tried(source, name, files, settings, conversation(PROMPT, RESPONSE))


def judging_template(files: ModelFiles, settings: LocalSettings, source: str) -> Template:
    """The template of a judge's questions.

    Raises:
        UsageError: it does not render a question, or leaves it out.
    """
    turns = conversation(PROMPT, "")[:1]
    name = f"{files.name}: its chat template"
    return _tried(source, name, files, settings, turns, add_generation_prompt=True)


def _tried(
    source: str,
    name: str,
    files: ModelFiles,
    settings: LocalSettings,
    turns: Messages,
    **options: bool,
) -> Template:
    tokens = files.special_tokens
    text, other = (
        try_chat_template(source, name, turns, tokens=tokens, today=day, **options) for day in _DAYS
    )
    for turn in turns:
        if turn["content"] not in text:
            raise UsageError(
                f"{name} leaves out {turn['content']}; it is given `messages`, a list of {{role, "
                "content}, content a text, and must write each of them: give a sound one with "
                "--template FILE"
            )
    longer = [{**turn, "content": turn["content"] + _LONG} for turn in turns]
    whole = try_chat_template(source, name, longer, tokens=tokens, today=_DAYS[0], **options)
    for turn in longer:
        as_json = json.dumps(turn["content"])[1:-1]  # templates may write texts by `tojson`
        if turn["content"] not in whole and as_json not in whole:
            raise UsageError(
                f"{name} leaves out a part of a long text; it must write each `content` whole: "
                "give a sound one with --template FILE"
            )
    asked = _day(settings.template_date) if settings.template_date is not None else _today()
    return Template(source, text, None if text == other else asked)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--template-date {text!r} is no date, such as 2026-01-31") from None


def _today() -> date:
    return datetime.now().astimezone().date()
