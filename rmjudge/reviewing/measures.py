"""What people's decisions tell of a build: the share of wrong labels, and how far people agree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rmjudge.building.folder import Settled, standing

if TYPE_CHECKING:
    from rmjudge.statistics.agreement import Kappa

Agreement: TypeAlias = "tuple[str, str, int, float, Kappa]"
"""Two names, the cases that both judged, the share agreed on, and Cohen's kappa."""
LEVEL: Final = 0.95
_CATEGORIES: Final[Mapping[str, int]] = {"yes": 0, "both": 1, "neither": 1, "no": 2}
"""For the label, for neither side, against it."""
_CLAIMS: Final[Mapping[str, int]] = {"true": 0, "both": 1, "neither": 1, "false": 2}


@dataclass(frozen=True, slots=True)
class Noise:
    """Of `shown` answers that were given blind, `against` were not for the label.

    `low` and `high` are the ends of the exact interval (Clopper and Pearson, Biometrika 26, 1934)
    of the share of wrong labels: `high` is the bound.
    """

    shown: int
    against: int
    low: float
    high: float


def label_noise(found: Settled) -> Noise | None:
    """The share of labels that blind reviewers do not confirm; None where nobody looked blind.

    The first blind answer of each reviewer counts, whatever they said later; one answer a tuple,
    the first reviewer's, so that the tuple is the unit. An answer that was taken back at once is
    none.
    """
    first = [
        answers[0]["verdict"] for item in found.outcomes if (answers := blind_answers(_said(item)))
    ]
    if not first:
        return None
    from scipy.stats import binomtest

    against = sum(verdict != "yes" for verdict in first)
    ends = binomtest(against, len(first)).proportion_ci(LEVEL, method="exact")
    return Noise(len(first), against, float(ends.low), float(ends.high))


def blind_answers(decisions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first blind answer of each reviewer to one tuple, in the reviewers' order."""
    firsts: dict[str, Mapping[str, Any]] = {}
    for one in decisions:
        if one.get("blind"):
            firsts.setdefault(one["reviewer"], one)
    return list(firsts.values())


def reviewers_agreement(found: Settled) -> list[Agreement]:
    """Of every two reviewers: how many tuples both judged, the share agreed on, Cohen's kappa.

    The first answer of each counts, before they could know of the other's.
    """
    by_person: dict[str, dict[tuple[int, int], int]] = {}
    for place, item in enumerate(found.outcomes):
        for one in _said(item):
            if one["verdict"] in _CATEGORIES:
                own = by_person.setdefault(one["reviewer"], {})
                own.setdefault((place, 0), _CATEGORIES[one["verdict"]])
    return list(_agreements(by_person))


def panel_agreement(found: Settled) -> list[Agreement]:
    """Of every two of the panel's models: answers to the same claims, share agreed on, kappa."""
    by_model: dict[str, dict[tuple[int, int], int]] = {}
    for place, item in enumerate(found.outcomes):
        for number, vote in enumerate(item["provenance"].get("votes") or (), 1):
            for order, said in enumerate(vote["claims"]):
                if said in _CLAIMS:
                    own = by_model.setdefault(f"panel {number}", {})
                    own[place, order] = _CLAIMS[said]
    return list(_agreements(by_model))


def panel_and_people(found: Settled) -> tuple[int, int]:
    """Tuples that the panel kept and people judged, and those of them that people confirmed."""
    verdicts = [
        first["verdict"]
        for item in found.outcomes
        if item["provenance"].get("votes") and _unanimous(item["provenance"]["votes"])
        for first in _said(item)[:1]
        if first["verdict"] in _CATEGORIES
    ]
    return len(verdicts), sum(verdict == "yes" for verdict in verdicts)


def _unanimous(votes: Sequence[Mapping[str, Any]]) -> bool:
    return all(said == "true" for vote in votes for said in vote["claims"])


def _said(item: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return standing(item["provenance"].get("decisions", ()))


def _agreements(
    answers: Mapping[str, Mapping[tuple[int, int], int]],
) -> Iterable[Agreement]:
    """Of every two; an answer's place is its tuple, the unit, and its number there."""
    import numpy as np

    from rmjudge.statistics.agreement import kappa_of_tables

    for one, other in combinations(sorted(answers), 2):
        both = sorted(answers[one].keys() & answers[other].keys())
        if not both:
            continue
        rows = {place: row for row, place in enumerate(dict.fromkeys(place for place, _ in both))}
        tables = np.zeros((len(rows), 9))
        for case in both:
            tables[rows[case[0]], 3 * answers[one][case] + answers[other][case]] += 1.0
        agreed = float(tables[:, [0, 4, 8]].sum() / len(both))
        yield one, other, len(both), agreed, kappa_of_tables(tables)
