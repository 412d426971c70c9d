"""`rmjudge score` as tables and JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.planning.texts import Comparison
from rmjudge.render.figures import NO_DATA, share
from rmjudge.render.sheets import Sheet
from rmjudge.running.scoring import TextScores
from rmjudge.text import clean, label, one_line, shorten

BEGINNING: Final = 48
"""Characters of a response that a row shows."""


def scores_sheets(found: Sequence[TextScores], responses: Sequence[str]) -> list[Sheet]:
    """One table of what each scorer gives each response, and one a judge of its comparisons."""
    names = [_shown(number, text) for number, text in enumerate(responses)]
    return [_overview(found, names), *(_comparisons(item) for item in found if item.comparisons)]


def _overview(found: Sequence[TextScores], names: Sequence[str]) -> Sheet:
    columns = [
        [_reward(value) for value in item.rewards] or [*map(share, item.wins)] for item in found
    ]
    notes = [f"{label(item.scorer)}: {clean(note)}" for item in found for note in item.notes]
    read = "Higher is better; rewards of two models have no common scale."
    if any(item.comparisons for item in found):
        read += " A judge's figure: its mean credit against the other responses, in both orders, %."
    return Sheet(
        title="Scores",
        header=("Response", *(label(item.scorer) for item in found)),
        rows=tuple(
            (name, *(column[place] for column in columns)) for place, name in enumerate(names)
        ),
        notes=tuple(notes),
        caption=f"{read} {'; '.join(map(_calls, found))}.",
    )


def _comparisons(item: TextScores) -> Sheet:
    return Sheet(
        title=f"{label(item.scorer)}: how it decides between two",
        header=("Responses", "Shown first", "Shown second", "Mean", "Winner"),
        rows=tuple(
            (
                f"{pair.one + 1} against {pair.other + 1}",
                *map(share, (pair.shown_first, pair.shown_second, pair.credit)),
                _winner(pair),
            )
            for pair in item.comparisons
        ),
        words=frozenset({4}),
        caption="Credit of the response named first, %, where it is shown first and second.",
    )


def _winner(pair: Comparison) -> str:
    if pair.contradicted:
        return "the orders contradict each other"
    if pair.credit is None:
        return NO_DATA
    if pair.credit == 0.5:
        return "tie"
    return str((pair.one if pair.credit > 0.5 else pair.other) + 1)


def _shown(number: int, text: str) -> str:
    return f"{number + 1}  {shorten(one_line(text), BEGINNING)}"


def _reward(value: float | None) -> str:
    return NO_DATA if value is None else f"{value:.6g}"


def _calls(item: TextScores) -> str:
    parts = [f"{item.sent} sent", f"{item.from_cache} from the cache"]
    if item.cost is None:
        parts.append("cost unknown")
    elif item.cost:
        parts.append(f"${item.cost:.4f}")
    return f"{label(item.scorer)}: {', '.join(parts)}"


def scores_json(found: Sequence[TextScores]) -> dict[str, Json]:
    """For programs; responses are numbered from 1, as they were given."""
    return {"format": 1, "scorers": list(map(_json, found))}


def _json(item: TextScores) -> dict[str, Json]:
    return {
        "scorer": item.scorer,
        "method": item.method,
        **({"rewards": list(item.rewards)} if item.method == "pointwise" else _judged(item)),
        "calls": {"from_cache": item.from_cache, "sent": item.sent},
        "cost": {"usd": item.cost, "known": item.cost is not None},
        "notes": list(item.notes),
        "stopped": None if item.stopped is None else str(item.stopped),
    }


def _judged(item: TextScores) -> dict[str, Json]:
    return {"wins": list(item.wins), "comparisons": list(_pairs(item))}


def _pairs(item: TextScores) -> Iterator[Json]:
    for pair in item.comparisons:
        yield {
            "responses": [pair.one + 1, pair.other + 1],
            "shown_first": pair.shown_first,
            "shown_second": pair.shown_second,
            "credit": pair.credit,
            "contradicted": pair.contradicted,
        }
