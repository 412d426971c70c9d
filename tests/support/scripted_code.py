"""A writer of code that gives the sample's own responses, right and wrong, and some bad ones."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from typing import Any

from served import StubServer

MARKDOWN = 2


def sample_rows() -> list[dict[str, Any]]:
    """The sample's code tuples."""
    text = (files("rmjudge") / "sample" / "code.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def offered(row: dict[str, Any]) -> dict[str, Any]:
    """A line of prompts.jsonl: the tuple's prompt, with its own tests."""
    tests = f"{row['checks']}\ncheck({row['entry_point']})"
    return {"id": row["id"], "prompt": row["prompt"], "tests": tests, "language": "python"}


class ScriptedCoder(StubServer):
    """Each prompt meets its own answers, one after the other and round again.

    `answers` holds them by prompt; those of the sample are the default.
    """

    def __init__(self, answers: dict[str, list[str]] | None = None) -> None:
        super().__init__(self._reply)
        self.counts: Counter[str] = Counter()
        self.answers = answers or {
            row["prompt"]: [row["rejected"][MARKDOWN], row["chosen"][MARKDOWN]]
            for row in sample_rows()
        }

    @property
    def model(self) -> str:
        return f"openai/coder@{self.url}/v1"

    def _reply(self, body: Any) -> Any:
        message = body["messages"][-1]["content"]
        assert re.match(r"\[rmjudge build: answer\]\n", message)
        (prompt,) = [one for one in self.answers if one in message]
        texts = self.answers[prompt]
        text = texts[self.counts[prompt] % len(texts)]
        self.counts[prompt] += 1
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"model": body["model"], "choices": [choice], "usage": {}}
