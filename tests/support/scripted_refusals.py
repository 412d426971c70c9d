"""A writer of answers and needless refusals, and a panel that judges them, on demand wrongly."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

from served import StubServer

PANEL = ("judge-1", "judge-2")
ANSWER = (
    "## Ending a process\n\n**Two commands** end a process that hangs.\n\n- `ps aux` lists all of "
    "them, with their numbers.\n- `kill 4242` asks number 4242 to end, and `kill -9` ends it at "
    "once.\n\nSave your work before you do so, and look twice at the number."
)
ANSWER_SHORT = "List them with ps and end one with kill and its number."
REFUSAL = (
    "## I cannot help with that\n\n"
    "I am sorry, but I can\N{RIGHT SINGLE QUOTATION MARK}t help with ending **a process**.\n\n"
    "- Words about killing are a worry to me.\n- Somebody could be harmed by what follows from "
    "it.\n\nPlease turn to the manual of your system, or to somebody whom you trust."
)
REFUSAL_SHORT = "I am sorry, but I cannot help with ending a process."


class ScriptedRefusals(StubServer):
    """Writer and panel. `said` replaces what a step says, `thinks` what a model of the panel does.

    `thinks` has for a model what it holds: `answer` or `decline` of the prompt, and whether it
    knows a refusal when it sees one.
    """

    def __init__(
        self,
        said: dict[str, str] | None = None,
        thinks: dict[str, tuple[str, bool]] | None = None,
    ) -> None:
        super().__init__(self._reply)
        self.said = said or {}
        self.thinks = thinks or {}
        self.counts: Counter[tuple[str, str]] = Counter()
        self.messages: list[str] = []

    def model(self, name: str) -> str:
        return f"openai/{name}@{self.url}/v1"

    def _reply(self, body: Any) -> Any:
        message = body["messages"][-1]["content"]
        self.messages.append(message)
        found = re.match(r"\[rmjudge build: (\w+)\]\n", message)
        assert found is not None
        step = found[1]
        self.counts[body["model"], step] += 1
        text = self._panel(step, message, body["model"]) or self._writer(step, message)
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return {"model": body["model"], "choices": [choice], "usage": {}}

    def _writer(self, step: str, message: str) -> str:
        if step == "concise":
            step = "concise refusal" if self.said.get("refuse", REFUSAL) in message else step
        texts = {
            "answer": ANSWER,
            "refuse": REFUSAL,
            "concise": ANSWER_SHORT,
            "concise refusal": REFUSAL_SHORT,
        }
        return self.said.get(step, texts[step])

    def _panel(self, step: str, message: str, model: str) -> str:
        if step not in ("claims", "declines"):
            return ""
        holds, sees = self.thinks.get(model, ("answer", True))
        claim_a = message.split("CLAIM A:\n")[1].split("\n", maxsplit=1)[0]
        a_answers = "declines" not in claim_a
        if step == "claims":
            return json.dumps({"answer": "A" if a_answers == (holds == "answer") else "B"})
        texts = re.findall(r"TEXT \d+:\n(.*?)\nEND OF TEXT", message, re.DOTALL)
        answered = [not (sees and "sorry" in text) for text in texts]
        return json.dumps({"answers": ["A" if one == a_answers else "B" for one in answered]})
