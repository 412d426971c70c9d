"""What the models are asked: a step's template, filled, below a line that names the step."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, TypeAlias, get_args

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from rmjudge.calls import GenerateCall, Json
from rmjudge.errors import UsageError
from rmjudge.text import did_you_mean

Step: TypeAlias = Literal[
    "answer", "markdown", "concise", "edit", "claims", "asserts", "refuse", "declines"
]
STEPS: Final[tuple[Step, ...]] = get_args(Step)
WRITER: Final = 0
"""The model that writes; the panel's are 1, 2 and so on."""
_PROBE: Final[Mapping[str, Json]] = {
    **dict.fromkeys(("prompt", "reference", "language", "final"), "a text"),
    **dict.fromkeys(("text", "markdown", "concise"), "a text"),
    **dict.fromkeys(("claim_a", "claim_b"), "a claim"),
    "texts": ["one", "two"],
    "characters": 100,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A call, the model it goes to (`WRITER`, or a number of the panel), and its step.

    `example` is a reply as a good model gives it, for estimates.
    """

    step: Step
    model: int
    call: GenerateCall
    example: str


class Templates:
    """The steps' templates: the package's own, or those of a folder that has some of them.

    `digest` is a hash of all of them, for the record.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Read and try them.

        Raises:
            UsageError: one cannot be read, or does not render.
        """
        # What is put in is data: nothing of it is escaped, and nothing in it is a template.
        environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
        self._templates: dict[Step, Template] = {}
        sha = hashlib.sha256()
        if folder is not None and not any((folder / f"{step}.jinja").is_file() for step in STEPS):
            raise UsageError(f"{folder} has no template of a step, such as answer.jinja")
        for file in sorted(folder.glob("*.jinja")) if folder is not None else ():
            if file.stem not in STEPS:
                raise UsageError(f"{file} is of no step; {did_you_mean(file.stem, STEPS)}")
        for step in STEPS:
            own = folder / f"{step}.jinja" if folder is not None else None
            try:
                if own is not None and own.is_file():
                    source = own.read_text("utf-8")
                else:
                    source = (files("rmjudge.building") / "prompts" / f"{step}.jinja").read_text(
                        "utf-8"
                    )
                self._templates[step] = environment.from_string(source)
                self._templates[step].render(_PROBE)
            except (OSError, ValueError, TypeError, TemplateError) as error:
                raise UsageError(f"the template {own} cannot be used: {error}") from error
            sha.update(f"{step}:{len(source)}:{source}".encode())
        self.digest: Final = sha.hexdigest()[:16]

    def ask(self, step: Step, model: int, sample: int = 0, *, example: str, **values: Json) -> Ask:
        """One call of a step; `values` are what the template is given."""
        text = (
            self._templates[step]
            .render({**_PROBE, "reference": "", "language": "", "final": "", **values})
            .strip()
        )
        call = GenerateCall((("user", f"{marker(step)}\n{text}"),), sample)
        return Ask(step, model, call, example)


def marker(step: str) -> str:
    """The first line of a call's last message, whatever the template says."""
    return f"[rmjudge build: {step}]"


def read_object(text: str) -> dict[str, Json] | None:
    """The last JSON object in a reply: alone, in a fence or among words."""
    found = None
    for value in _objects(text):
        found = value
    return found


def _objects(text: str) -> Iterator[dict[str, Json]]:
    decoder = json.JSONDecoder()
    start = text.find("{")
    while start >= 0:
        try:
            value, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            start = text.find("{", start + 1)
            continue
        if isinstance(value, dict):
            yield value
        start = text.find("{", end)
