"""A model that plays writer and panel of a build by the first line of the last message."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from typing import Any

from served import StubServer

KINDS = ("good", "sloppy", "truncating", "lying", "unread")
PANEL = ("judge-1", "judge-2")


def kind_of(number: int) -> str:
    """What kind of writer prompt `number` meets: four of five meet a good one."""
    return KINDS[(number // 5) % 4 + 1] if number % 5 == 0 else "good"


def city(number: int) -> str:
    return f"Town{hashlib.sha256(str(number).encode()).hexdigest()[:6]}"


class ScriptedModels(StubServer):
    """Writer and panel; `counts` holds how often each request was answered."""

    def __init__(self) -> None:
        super().__init__(self._reply)
        self.counts: Counter[str] = Counter()

    def model(self, name: str) -> str:
        return f"openai/{name}@{self.url}/v1"

    def _reply(self, body: Any) -> Any:
        self.counts[json.dumps(body, sort_keys=True)] += 1
        message = body["messages"][-1]["content"]
        step = re.match(r"\[rmjudge build: (\w+)\]", message)
        assert step is not None
        found = re.search(r"Land(\d+)", message)
        assert found is not None
        text, finish = self._said(step[1], message, int(found[1]), body["model"])
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
        usage = {"prompt_tokens": len(message) // 4, "completion_tokens": len(text) // 4}
        return {"model": body["model"], "choices": [choice], "usage": usage}

    def _said(self, step: str, message: str, number: int, model: str) -> tuple[str, str]:
        kind, town = kind_of(number), city(number)
        if step in ("answer", "markdown"):
            words = (
                f"# Land{number}\n\n**The capital** of Land{number} is {town}.\n\n- It is old, and "
                "many people come to see its harbour.\n- Its markets are open on every day.\n"
            )
            return (words[:70], "length") if kind == "truncating" else (words, "stop")
        if step == "concise":
            first = "No. " if "The other" in message else ""
            return f"{first}The capital of Land{number} is {town}.", "stop"
        if step == "edit":
            if kind == "unread":
                return "I would change the town.", "stop"
            find = "harbour" if kind == "sloppy" else town
            claims = {
                "claim_true": f"The capital of Land{number} is {town}.",
                "claim_false": f"The capital of Land{number} is Elsewhere.",
                "why": "made up",
            }
            edits = [{"find": find, "replace": "Elsewhere"}]
            return "Here it is:\n" + json.dumps({**claims, "edits": edits}), "stop"
        claim_a = message.split("CLAIM A:\n")[1].split("\n", maxsplit=1)[0]
        true_is_a = town in claim_a
        if step == "claims":
            right = true_is_a != (kind == "lying")  # a lying writer's edit is the truth
            return json.dumps({"answer": "A" if right else "B"}), "stop"
        texts = re.findall(r"TEXT \d+:\n(.*?)\nEND OF TEXT", message, re.DOTALL)
        return json.dumps({"answers": ["A" if (town in t) == true_is_a else "B" for t in texts]}), (
            "stop"
        )
