"""How a prompt ended: kept with a proof, waiting for a person, rejected, or without an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from rmjudge.building.cases import Case
from rmjudge.building.checks import Reason
from rmjudge.calls import Json

Proof: TypeAlias = Literal["given", "executed", "answer", "panel", "person"]
Triple: TypeAlias = tuple[str, str, str]
State: TypeAlias = Literal["kept", "queued", "rejected", "open"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`chosen` and `rejected` are in the order of the styles, None for what was rejected before.

    `step` is where it ended, `about` what the provenance tells of it (edits, votes, answers).
    """

    state: State
    step: str = ""
    reason: Reason | None = None
    proof: Proof | None = None
    chosen: Triple | None = None
    rejected: Triple | None = None
    about: Mapping[str, Json] = field(default_factory=dict)


def tuple_json(case: Case, outcome: Outcome) -> dict[str, Json]:
    """A tuple in RM-Bench's own layout."""
    return {
        "id": case.id,
        "prompt": case.prompt,
        "chosen": list(outcome.chosen or ()),
        "rejected": list(outcome.rejected or ()),
        "domain": case.domain,
    }


def outcome_json(case: Case, outcome: Outcome, made: Mapping[str, Json]) -> dict[str, Json]:
    """Everything that is known of a prompt's end; `made` is how the texts came to be."""
    found: dict[str, Json] = {"state": outcome.state, "proof": outcome.proof}
    if outcome.reason is not None:
        found |= {"step": outcome.step, "reason": outcome.reason.word}
        found["detail"] = outcome.reason.detail
    found["tuple"] = tuple_json(case, outcome)
    found["provenance"] = {"recipe": case.recipe, **outcome.about, **made}
    return found
