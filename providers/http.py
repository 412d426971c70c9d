"""`http/NAME@URL`: any server that gives a number for JSON, without code.

The user's template (Jinja) writes the body, a path says where in the reply the reward stands, and
the address is posted to as it is given. Nothing is known of the server, so nothing is guessed: a
template that renders no JSON object, or a reply without a number at the path, is an error.

A template that names `items` asks about several responses at once: the path then leads to a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from jinja2 import StrictUndefined, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rmjudge.calls import Answer, Call, Json, RewardCall, Usage
from rmjudge.errors import UsageError
from rmjudge.providers.base import (
    MalformedBodyError,
    Provider,
    Request,
    Target,
    as_reward,
    reward_call,
)
from rmjudge.providers.rendering import lacks_turns, messages_of, probe_of

GIVEN: Final = ("prompt", "response", "messages", "items")
EACH: Final = "*"
_STEP: Final = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\*)\]")
_PROBE: Final = RewardCall("the prompt", "the response")
_FAULTS: Final = (
    TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class RewardShape:
    """How a server is asked and how it answers: a body template, the reward's path, a batch size.

    A path is `reward`, `data[0].score`, `results[*].reward` (of each), or `.` (the reply itself).
    """

    template: str
    path: str
    batch: int = 1

    @cached_property
    def steps(self) -> tuple[str | int, ...]:
        """The path, step by step.

        Raises:
            UsageError: it is none.
        """
        return path_steps(self.path)


def shape_of(file: Path | None, path: str | None, batch: int | None, name: str) -> RewardShape:
    """The shape that a user's options give.

    Raises:
        UsageError: one is missing, or they do not fit together.
    """
    if file is None or path is None:
        raise UsageError(
            f"{name} needs --template FILE, a Jinja template of the request's JSON body, and "
            "--reward-path PATH, where the reward stands in the reply, such as data[0].score"
        )
    try:
        source = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the template {file} cannot be read: {error}") from error
    return RewardShape(source, path, batch or 1)


def path_steps(path: str) -> tuple[str | int, ...]:
    """Cut a path into names, numbers and `*`.

    Raises:
        UsageError: it is no path.
    """
    steps: list[str | int] = []
    position = 0
    text = "" if path == "." else path
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise UsageError(
                f"--reward-path {path!r} is no path; write reward, data[0].score, "
                "results[*].reward, or . for the reply itself"
            )
        name, number = found.groups()
        steps.append(name if name is not None else number if number == EACH else int(number))
        position = found.end()
    if steps.count(EACH) > 1:
        raise UsageError(f"--reward-path {path!r}: one [*] is enough")
    return tuple(steps)


class HTTP(Provider):
    """Pointwise reward of a shape that the user describes."""

    name = "http"
    method = "pointwise"
    parser = "http-reward/1"
    url_variable = "REWARD_BASE_URL"
    key_variables = ("REWARD_API_KEY",)
    wants_shape = True
    proved_by = "a server on loopback, for each shape of docs/hosted.md"

    def __init__(self, target: Target) -> None:
        """Compile the template and read the path.

        Raises:
            UsageError: they cannot be used.
        """
        super().__init__(target)
        if target.shape is None:
            raise TypeError("http/... needs a shape")
        self.shape = target.shape
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        # Jinja's own `tojson` writes < and & as escapes for HTML.
        environment.filters["tojson"] = json.dumps
        try:
            named = meta.find_undeclared_variables(environment.parse(self.shape.template))
            self._template = environment.from_string(self.shape.template)
        except TemplateError as error:
            raise UsageError(f"the template of {self._who} cannot be used: {error}") from error
        self._several = "items" in named
        if self.shape.batch > 1 and not self._several:
            raise UsageError(
                f"--reward-batch {self.shape.batch}: the template of {self._who} asks about one "
                "response; loop over `items`, a list of prompt, response and messages"
            )
        if EACH in self.shape.steps and not self._several:
            raise UsageError(f"--reward-path {self.shape.path}: [*] is for templates with `items`")
        self.batch = self.shape.batch
        body = json.dumps(self.build([_PROBE]).body)
        for text in (_PROBE.prompt, _PROBE.response):
            if text not in body:
                raise UsageError(f"the template of {self._who} leaves out {text}")

    @property
    def _who(self) -> str:
        return f"{self.name}/{self.target.model}"

    @property
    def template(self) -> str:
        """The body's template."""
        return self.shape.template

    @property
    def described(self) -> Mapping[str, Json]:
        """The path decides what is read as the reward."""
        return {"reward_path": self.shape.path}

    def build(self, calls: Sequence[Call]) -> Request:
        """Render the body.

        Raises:
            UsageError: it is no JSON object.
        """
        items = [_item(reward_call(call)) for call in calls]
        given = {"items": items} if self._several else items[0]
        try:
            text = self._template.render(given)
            body = json.loads(text)
        except ValueError as error:
            raise UsageError(
                f"the template of {self._who} renders no JSON ({error}); write texts as "
                "{{ response | tojson }}, without quotes around"
            ) from error
        except _FAULTS as error:
            known = "items" if self._several else ", ".join(GIVEN[:3])
            raise UsageError(
                f"the template of {self._who} does not render: {error}; it is given {known}"
            ) from error
        if not isinstance(body, dict):
            raise UsageError(f"the template of {self._who} renders no JSON object")
        return Request("", self.with_params(body))

    def refuses(self, roles: Sequence[str]) -> str:
        """Whether the template writes all `messages`, or the last alone, which is its `prompt`."""
        probe = probe_of(roles)
        return lacks_turns(lambda _messages: json.dumps(self.build([probe]).body), roles)

    def split(self, body: Json) -> Sequence[Json]:
        """One number a call, in order; by `index` where every element has one."""
        if not self._several:
            return [_follow(body, self.shape.steps, self.shape.path)]
        steps = self.shape.steps
        place = steps.index(EACH) if EACH in steps else len(steps)
        found = _follow(body, steps[:place], self.shape.path)
        if not isinstance(found, list):
            raise MalformedBodyError(f"there is no list at {self.shape.path}")
        parts: list[Any] = found
        order = [part.get("index") if isinstance(part, dict) else None for part in parts]
        if sorted(order, key=str) == sorted(range(len(parts)), key=str):
            parts = [parts[order.index(number)] for number in range(len(parts))]
        return [_follow(part, steps[place + 1 :], self.shape.path) for part in parts]

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the number. The server tells neither tokens nor model."""
        if isinstance(part, (list, dict)):
            raise MalformedBodyError(f"there is no number at {self.shape.path}")
        return as_reward(part), Usage(), None


def _item(call: RewardCall) -> dict[str, Any]:
    return {
        "prompt": call.turns[-1][1] if call.turns else call.prompt,
        "response": call.response,
        "messages": messages_of(call),
    }


def _follow(part: Any, steps: Sequence[str | int], path: str) -> Any:
    """What stands at the end of the steps.

    Raises:
        MalformedBodyError: the reply has no such place.
    """
    for step in steps:
        try:
            part = part[step if isinstance(part, (dict, list)) else None]
        except (LookupError, TypeError):
            raise MalformedBodyError(f"the reply has nothing at {path}") from None
    return part
