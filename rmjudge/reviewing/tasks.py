"""What a reviewer is asked, in a fixed order: first what waits, then a share of the rest blind.

Blind means: two texts in a random order, and which of them is right? The label, the panel's votes
and the claims are not shown, so the answer measures the set and not the reviewer's trust in it.
All draws are made from the texts, so that two reviewers meet the same blind tuples. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rmjudge.building.folder import Settled, digest_of, last_words
from rmjudge.calls import Json

BLIND: Final = 0.15
"""The share of the kept tuples that is shown blind."""
SECOND: Final = 0.2
"""The share of what one person decided that the next person is shown blind, for kappa."""
OPEN_ANSWERS: Final = ("yes", "no", "both")
"""The rejected is really wrong; it is not; both are fine."""
BLIND_ANSWERS: Final = ("first", "second", "both", "neither")
_SPLITS: Final = ("panel-split", "panel-both", "reviewers-disagree", "blind-disagrees")


@dataclass(frozen=True, slots=True)
class Task:
    """One question about one tuple. `texts` is the digest that a decision holds for."""

    item: Mapping[str, Any]
    texts: str
    blind: bool

    @property
    def answers(self) -> tuple[str, ...]:
        """What can be answered, a word each."""
        return BLIND_ANSWERS if self.blind else OPEN_ANSWERS

    @property
    def sides(self) -> tuple[Sequence[str], Sequence[str]]:
        """The responses as they are shown: chosen and rejected, or in a drawn order where blind."""
        chosen, rejected = self.item["tuple"]["chosen"], self.item["tuple"]["rejected"]
        if self.blind and not chosen_first(self.texts):
            return rejected, chosen
        return chosen, rejected

    def decision(self, answer: str, reviewer: str) -> dict[str, Json]:
        """The line that is kept. A blind answer is turned into what it says of the label."""
        found: dict[str, Json] = {
            "id": self.item["tuple"]["id"],
            "texts": self.texts,
            "reviewer": reviewer,
            "verdict": self._verdict(answer),
        }
        return {**found, "blind": True} if self.blind else found

    def _verdict(self, answer: str) -> str:
        if answer not in ("first", "second"):
            return answer
        return "yes" if (answer == "first") == chosen_first(self.texts) else "no"


def tasks_for(found: Settled, reviewer: str, blind: float = BLIND) -> list[Task]:
    """All that a reviewer has not answered yet.

    What waits comes first, splits before the rest. Then come, blind, a share of the kept, and
    `SECOND` of what one other person alone decided. `blind` 0 shows nothing blind.
    """
    waiting = [
        item for item in found.of("queued") if not _answered(item, reviewer, with_blind=False)
    ]
    waiting.sort(key=lambda item: item["reason"] not in _SPLITS)
    open_tasks = [Task(item, _texts(item), blind=False) for item in waiting]
    if blind <= 0:
        return open_tasks
    sample = [
        Task(item, texts, blind=True)
        for item in (*found.of("kept"), *found.of("rejected"))
        if not _answered(item, reviewer, with_blind=True)
        and (share := _share_of(item, blind)) > 0
        and drawn(texts := _texts(item)) < share
    ]
    return [*open_tasks, *sorted(sample, key=lambda task: drawn(task.texts))]


def _texts(item: Mapping[str, Any]) -> str:
    return digest_of(item["tuple"])


def _answered(item: Mapping[str, Any], reviewer: str, *, with_blind: bool) -> bool:
    return any(
        one["reviewer"] == reviewer and (with_blind or not one.get("blind")) for one in _words(item)
    )


def _words(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Everybody's last word about the texts as they are now."""
    texts = _texts(item)
    said = item["provenance"].get("decisions", ())
    return last_words([one for one in said if one["texts"] == texts])


def _share_of(item: Mapping[str, Any], blind: float) -> float:
    """Which share of its kind is shown blind: kept ones, and what one other person decided."""
    people = {one["reviewer"] for one in _words(item) if not one.get("blind")}
    if not people:
        return blind if item["state"] == "kept" else 0.0
    return max(blind, SECOND) if len(people) == 1 and _whole(item) else 0.0


def _whole(item: Mapping[str, Any]) -> bool:
    return bool(item["tuple"]["chosen"]) and bool(item["tuple"]["rejected"])


def drawn(texts: str) -> float:
    """A number from 0 to 1, drawn from a tuple's digest: whether it is in a random share."""
    return int(hashlib.sha256(f"blind share\n{texts}".encode()).hexdigest()[:8], 16) / 2**32


def chosen_first(texts: str) -> bool:
    """Whether the chosen is the first of the two where they are shown blind."""
    return hashlib.sha256(f"blind order\n{texts}".encode()).digest()[0] % 2 == 0
