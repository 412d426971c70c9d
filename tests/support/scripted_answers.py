"""A writer of solutions that gives the sample's own responses, right and wrong, in all styles."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from served import StubServer

CONCISE, MARKDOWN = 0, 2


def sample_rows() -> list[dict[str, Any]]:
    """The sample's math tuples."""
    text = (files("rmjudge") / "sample" / "math.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def offered(row: dict[str, Any]) -> dict[str, Any]:
    """A line of prompts.jsonl: the tuple's prompt, with its own answer."""
    return {"id": row["id"], "prompt": row["prompt"], "answer": row["answer"]}


class ScriptedSolver(StubServer):
    """Each prompt meets its own answers, one after the other and round again.

    `answers` holds them by prompt, `short` the concise texts by Markdown text; those of the
    sample are the default.
    """

    def __init__(
        self,
        answers: Mapping[str, list[str]] | None = None,
        short: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(self._reply)
        self.counts: Counter[str] = Counter()
        self.messages: list[str] = []
        rows = sample_rows()
        sides = [(row, side) for side in ("rejected", "chosen") for row in rows]
        self.answers = answers or {
            row["prompt"]: [row["rejected"][MARKDOWN], row["chosen"][MARKDOWN]] for row in rows
        }
        self.short = short or {row[side][MARKDOWN]: row[side][CONCISE] for row, side in sides}

    @property
    def model(self) -> str:
        return f"openai/solver@{self.url}/v1"

    def _reply(self, body: Any) -> Any:
        message = body["messages"][-1]["content"]
        self.messages.append(message)
        step = re.match(r"\[rmjudge build: (answer|concise)\]\n", message)
        assert step is not None
        if step[1] == "concise":
            text = next(said for markdown, said in self.short.items() if markdown in message)
        else:
            (prompt,) = [one for one in self.answers if one in message]
            text = self.answers[prompt][self.counts[prompt] % len(self.answers[prompt])]
            self.counts[prompt] += 1
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"model": body["model"], "choices": [choice], "usage": {}}
