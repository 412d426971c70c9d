"""The panel: models that are asked blind which of two claims is true, and what each text says.

Each is asked in both orders, and whether each of the six texts asserts its claim. All agree: the
wrong side is proven, or refuted. Anything else is for a person to decide.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.building.asking import Ask, Step, Templates, read_object
from rmjudge.building.cases import Case
from rmjudge.building.checks import Reason, unfinished
from rmjudge.building.outcomes import Outcome, Triple
from rmjudge.building.writing import Asking, Tools, proven, rejected
from rmjudge.calls import Answer, Json, Text

CALLS: Final = 3
"""Of each model: two orders of the claims, and the six texts."""
CLAIM: Final = '{"answer": "A"}'
ASSERTS: Final = '{"answers": ["A", "A", "A", "B", "B", "B"]}'
_WORDS: Final = {"a": "A", "b": "B", "both": "both", "neither": "neither"}

_EXPECTED: Final = ("true",) * 3 + ("false",) * 3
_AGAINST: Final = {
    "false": ("rejected", Reason("panel-against", "the panel holds the false claim to be true")),
    "neither": ("rejected", Reason("panel-neither", "the panel holds neither claim to be true")),
    "both": ("queued", Reason("panel-both", "the panel holds both claims to be true")),
}


@dataclass(frozen=True, slots=True)
class Votes:
    """What one model of the panel said.

    `claims` are `true`, `false`, `both` or `neither` for each order, None where a reply cannot be
    read; `asserts` the same for the chosen texts and then the rejected, by style, or None.
    """

    claims: tuple[str | None, str | None]
    asserts: tuple[str, ...] | None

    def to_json(self) -> Json:
        """For the provenance."""
        return {
            "claims": list(self.claims),
            "asserts": None if self.asserts is None else list(self.asserts),
        }


@dataclass(frozen=True, slots=True)
class Claims:
    """A true and a false claim, and what the chosen and the rejected texts say of themselves.

    `step` asks of the texts which of `of_texts` holds.
    """

    pair: tuple[str, str]
    of_texts: tuple[str, str]
    step: Step


def judged(
    tools: Tools,
    case: Case,
    claims: Claims,
    sides: tuple[Triple, Triple],
    more: Mapping[str, Json],
) -> Asking:
    """What the panel makes of a tuple; without one it waits for a person.

    `more` is what the provenance tells besides.
    """
    told: dict[str, Json] = {
        "reference": case.reference,
        "claim_true": claims.pair[0],
        "claim_false": claims.pair[1],
        **more,
    }
    if not tools.panel:
        reason = Reason("no-panel", "a person decides: run `rmjudge review`")
        return proven(*sides, Outcome("queued", "panel", reason, about=told))
    asks = questions(tools.templates, case, claims, (*sides[0], *sides[1]), tools.panel)
    votes = votes_of(case, (yield asks))
    told["votes"] = [vote.to_json() for vote in votes]
    state, why = verdict_of(votes)
    if state == "rejected" and why is not None:
        return rejected("panel", why, told)
    if state == "queued":
        return proven(*sides, Outcome("queued", "panel", why, about=told))
    return proven(*sides, Outcome("kept", proof="panel", about=told))


def questions(
    templates: Templates, case: Case, claims: Claims, texts: Sequence[str], panel: int
) -> list[Ask]:
    """What all models of the panel are asked: `CALLS` calls a model. `texts` are the six."""
    true_first, places = _shuffled(case)
    one, other = claims.pair if true_first else claims.pair[::-1]
    claim_a, claim_b = claims.of_texts if true_first else claims.of_texts[::-1]
    shown: list[Json] = [texts[place] for place in places]
    return [
        ask
        for model in range(1, panel + 1)
        for ask in (
            _claims(templates, case, model, one, other),
            _claims(templates, case, model, other, one),
            templates.ask(
                claims.step,
                model,
                claim_a=claim_a,
                claim_b=claim_b,
                prompt=case.prompt,
                texts=shown,
                example=ASSERTS,
            ),
        )
    ]


def _claims(templates: Templates, case: Case, model: int, one: str, other: str) -> Ask:
    return templates.ask(
        "claims",
        model,
        claim_a=one,
        claim_b=other,
        prompt=case.prompt,
        reference=case.reference,
        example=CLAIM,
    )


def _shuffled(case: Case) -> tuple[bool, list[int]]:
    """Whether the true claim is A at first, and the order of the six texts: drawn from the id."""
    seed = hashlib.sha256(f"{case.id}\n{case.prompt}".encode()).digest()
    draw = random.Random(seed)  # noqa: S311, to repeat and not to hide
    places = list(range(6))
    draw.shuffle(places)
    return draw.random() < 0.5, places


def votes_of(case: Case, answers: Sequence[Answer]) -> list[Votes]:
    """Read the panel's replies, model by model."""
    true_first, places = _shuffled(case)
    return [
        Votes(
            (_claim(answers[at], true_first), _claim(answers[at + 1], not true_first)),
            _asserts(answers[at + 2], true_first, places),
        )
        for at in range(0, len(answers), CALLS)
    ]


def _meaning(word: Json, true_first: bool) -> str | None:
    said = _WORDS.get(word.strip().lower()) if isinstance(word, str) else None
    if said in ("A", "B"):
        return "true" if (said == "A") == true_first else "false"
    return said


def _fields(answer: Answer) -> dict[str, Json]:
    if unfinished(answer) is not None or not isinstance(answer, Text):
        return {}
    return read_object(answer.text) or {}


def _claim(answer: Answer, true_first: bool) -> str | None:
    return _meaning(_fields(answer).get("answer"), true_first)


def _asserts(answer: Answer, true_first: bool, places: Sequence[int]) -> tuple[str, ...] | None:
    said = _fields(answer).get("answers")
    if not isinstance(said, list) or len(said) != len(places):
        return None
    read = [_meaning(word, true_first) for word in said]
    at_home = dict(zip(places, read, strict=True))
    found = [word for k in range(len(places)) if (word := at_home[k]) is not None]
    return tuple(found) if len(found) == len(places) else None


def verdict_of(votes: Sequence[Votes]) -> tuple[str, Reason | None]:
    """`kept`, `rejected` or `queued`, and why where it is not kept."""
    claims = [said for vote in votes for said in vote.claims]
    if None in claims or any(vote.asserts is None for vote in votes):
        return "queued", Reason("panel-incomplete", "a reply of the panel cannot be read")
    if len(set(claims)) > 1:
        return "queued", Reason("panel-split", f"about the claims: {_counted(claims)}")
    if claims[0] != "true":
        return _AGAINST[claims[0] or ""]
    return _asserted([vote.asserts or () for vote in votes])


def _asserted(said: Sequence[tuple[str, ...]]) -> tuple[str, Reason | None]:
    """Whether each text asserts its own claim, as every model says, and that alone."""
    for k, right in enumerate(_EXPECTED):
        heard = [words[k] for words in said]
        if right not in heard:
            side = "chosen" if k < 3 else "rejected"
            return "rejected", Reason("not-asserted", f"text {k % 3 + 1} of the {side}: {heard[0]}")
    if any(words != _EXPECTED for words in said):
        return "queued", Reason("panel-split", "about what the texts assert")
    return "kept", None


def _counted(words: Sequence[str | None]) -> str:
    return ", ".join(f"{word} {words.count(word)}" for word in sorted({str(one) for one in words}))
