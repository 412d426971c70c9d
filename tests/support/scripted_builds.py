"""A server that plays the writer and the panel of a build, by the first line of the last message.

The number in a prompt's `Land7` decides which fact is asked for, how the texts are worded, and
which kind of writer or panel the prompt meets.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from threading import Lock
from typing import Any, Final

from served import StubServer

PANEL: Final = ("judge-1", "judge-2")
ENDS: Final = {
    "sloppy": ("rejected", "edit-find"),  # what it wants to replace is not there
    "truncating": ("rejected", "truncated"),  # the server says that it ran into a limit
    "lying": ("rejected", "panel-against"),  # its answer is false, and its edit makes it true
    "contradicting": ("rejected", "not-asserted"),  # it edits one of two places
    "wavering": ("queued", "panel-split"),  # one of the panel says A in both orders
    "hedging": ("rejected", "hedge"),  # its edit takes itself back
    "cut": ("rejected", "truncated"),  # in mid-sentence, though the server says that it is done
    "unread": ("rejected", "edit-unread"),
    "refusing": ("rejected", "refusal"),
    "leaking": ("rejected", "prompt-leak"),
    "bare": ("rejected", "style"),  # no Markdown
    "long-winded": ("rejected", "style"),  # a concise text that is none
    "rewriting": ("rejected", "edit-size"),
    "repeating": ("rejected", "edit"),  # both claims are one
    "judging": ("rejected", "verdict"),
    "quibbling": ("rejected", "panel-neither"),
    "doubtful": ("queued", "panel-both"),
    "mumbling": ("queued", "panel-incomplete"),  # one of the panel says no JSON
    "half-seeing": ("queued", "panel-split"),  # one of the panel finds no claim in a text
}
"""Where a prompt ends that meets a kind of writer or panel. All others are kept."""

FACTS: Final = {
    "capital": ["Ardan", "Belmor", "Corvel", "Dunmar", "Estrel", "Fenwick", "Galdo", "Harrow"],
    "longest river": ["Isk", "Jorun", "Kelda", "Lomar", "Mirna", "Neva", "Orlen", "Pesca"],
    "main export": ["copper", "wool", "amber", "salt", "timber", "tea", "silk", "barley"],
    "official language": [
        "Astric",
        "Borean",
        "Celtan",
        "Doric",
        "Elvan",
        "Frisic",
        "Gothan",
        "Hesper",
    ],
    "national flower": ["iris", "poppy", "lupin", "aster", "thistle", "orchid", "lotus", "dahlia"],
    "oldest university": ["Quarn", "Rell", "Sorbey", "Tolm", "Ulster", "Varn", "Wexel", "Yarrow"],
}
"""What may be asked for, and the values of which one is true."""
LINES: Final = (
    "It is old, and many people come to see its harbour.",
    "Its markets are open on every day of the week.",
    "Trains reach each of its towns within a few hours.",
    "The winters there are long, but seldom very cold.",
    "Most of the people live near the northern coast.",
    "Its museums show what travellers wrote about it.",
    "A bridge from the last century leads to the islands.",
    "Guides who know the hills can be found in the villages.",
    "Every spring there is a fair with music and dancing.",
    "Its schools have taught the subject for generations.",
)
OPENINGS: Final = (
    "**The {fact}** of {land} is {value}.",
    "**As to {land}:** its {fact} is {value}.",
    "Of {land} one learns at school that **the {fact}** is {value}.",
)


def kind_of(number: int) -> str:
    """What prompt `number` meets: three of ten meet one of the `ENDS`, the others are good."""
    turn, place = divmod(number, 10)
    kinds = list(ENDS)
    return kinds[(3 * turn + place // 3) % len(kinds)] if place in (0, 3, 6) else "good"


class Land:
    """What is true of a prompt's subject, and how it is told."""

    def __init__(self, number: int) -> None:
        draw = random.Random(number)
        self.name = f"Land{number}"
        self.fact = draw.choice(list(FACTS))
        self.true, self.false = draw.sample(FACTS[self.fact], 2)
        self.opening = draw.choice(OPENINGS)
        self.lines = draw.sample(LINES, 3)

    def claim(self, value: str) -> str:
        return f"The {self.fact} of {self.name} is {value}."

    def detailed(self, value: str) -> str:
        first = self.opening.format(fact=self.fact, land=self.name, value=value)
        points = "".join(f"- {line}\n" for line in self.lines)
        return f"# {self.name}\n\n{first}\n\n{points}"


class ScriptedModels(StubServer):
    """Writer and panel; `counts` holds how often each request came.

    `favourite` is a value that the writer puts in wherever it makes a statement false.
    """

    request_queue_size = 64

    def __init__(self, *, latency_s: float = 0.0, favourite: str = "") -> None:
        super().__init__(self._reply)
        self.counts: Counter[str] = Counter()
        self.under_way = 0
        self._favourite = favourite
        self._latency_s = latency_s
        self._lock = Lock()

    def model(self, name: str) -> str:
        return f"openai/{name}@{self.url}/v1"

    def at_rest(self) -> None:
        """Return once nothing is under way, and nothing more comes."""
        seen = -1
        while self.under_way or seen != sum(self.counts.values()):
            seen = sum(self.counts.values())
            time.sleep(0.1)

    def _reply(self, body: Any) -> Any:
        with self._lock:
            self.counts[json.dumps(body, sort_keys=True)] += 1
            self.under_way += 1
        try:
            time.sleep(self._latency_s)
            return self._replied(body)
        finally:
            with self._lock:
                self.under_way -= 1

    def _replied(self, body: Any) -> Any:
        message = body["messages"][-1]["content"]
        step = re.match(r"\[rmjudge build: (\w+)\]", message)
        found = re.search(r"Land(\d+)", message)
        assert step is not None
        assert found is not None
        text, finish = self._said(step[1], message, int(found[1]), body["model"])
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": finish}
        usage = {"prompt_tokens": len(message) // 4, "completion_tokens": len(text) // 4}
        return {"model": body["model"], "choices": [choice], "usage": usage}

    def _said(self, step: str, message: str, number: int, model: str) -> tuple[str, str]:
        kind, land = kind_of(number), Land(number)
        if step in ("answer", "markdown"):
            return _answer(kind, land), "length" if kind == "truncating" else "stop"
        if step == "concise":
            return _concise(kind, land, message), "stop"
        if step == "edit":
            return self._edit(kind, land, number), "stop"
        claim_a = message.split("CLAIM A:\n")[1].split("\n", maxsplit=1)[0]
        wavers = model == PANEL[0]
        true_is_a = land.true in claim_a
        if step == "claims":
            return _claim(kind, true_is_a=true_is_a, wavers=wavers), "stop"
        texts = re.findall(r"TEXT \d+:\n(.*?)\nEND OF TEXT", message, re.DOTALL)
        claim_b = message.split("CLAIM B:\n")[1].split("\n", maxsplit=1)[0]
        values = [claim.rstrip(".").rpartition(" ")[2] for claim in (claim_a, claim_b)]
        answers = [_asserted(text, *values) for text in texts]
        if kind == "half-seeing" and wavers:
            answers[0] = "neither"
        return json.dumps({"answers": answers}), "stop"

    def _edit(self, kind: str, land: Land, number: int) -> str:
        true, false = land.true, self._favourite or land.false
        if kind == "unread":
            return "I would change the name."
        if kind == "lying":
            true, false = false, true
        find, replacement = f" is {true}", f" is {false}"
        if kind == "sloppy":
            find = "harbours of the moon"
        if kind == "hedging":
            replacement = f" is {false}, or so some people wrongly believe"
        if kind == "rewriting":
            replacement = f" is {false}" + " and so on" * 5
        claim_false = land.claim(true if kind == "repeating" else false)
        claims = {"claim_true": land.claim(true), "claim_false": claim_false, "why": "made up"}
        reply = json.dumps({**claims, "edits": [{"find": find, "replace": replacement}]})
        forms = (reply, f"Here it is:\n{reply}", f"```json\n{reply}\n```\nI hope that this helps.")
        return forms[number % len(forms)]


def _answer(kind: str, land: Land) -> str:
    value = land.false if kind == "lying" else land.true
    text = land.detailed(value)
    if kind in ("truncating", "cut"):
        return text[: len(text) * 2 // 3].rpartition(" ")[0].rstrip(".-\n ")
    if kind == "contradicting":
        return f"{text}\nWhoever has been there speaks of {value} for years.\n"
    if kind == "refusing":
        return f"I'm sorry, but I can't help with that.\n\n{text}"
    if kind == "leaking":
        return f"{text}\nAs instructed, all of this follows the reference text.\n"
    if kind == "judging":
        return f"{text}\nThe better one is [[A]].\n"
    return text.replace("#", "").replace("*", "").replace("- ", "") if kind == "bare" else text


def _concise(kind: str, land: Land, message: str) -> str:
    if kind == "long-winded":
        return " ".join([land.claim(land.true), *land.lines])
    first = "No. " if "The other" in message else ""
    return first + land.claim(land.false if kind == "lying" else land.true)


def _claim(kind: str, *, true_is_a: bool, wavers: bool) -> str:
    answer = "A" if true_is_a else "B"
    if kind == "mumbling" and wavers:
        return f"I am inclined to say {answer}."
    if kind == "wavering" and wavers:
        answer = "A"
    if kind in ("quibbling", "doubtful"):
        answer = "neither" if kind == "quibbling" else "both"
    return json.dumps({"answer": answer})


def _asserted(text: str, one: str, other: str) -> str:
    found = one in text, other in text
    return {(True, False): "A", (False, True): "B", (True, True): "both"}.get(found, "neither")
