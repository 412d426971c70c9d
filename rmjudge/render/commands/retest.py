"""`rmjudge retest`: a judge against itself, as tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json, matrix_to_json
from rmjudge.render.figures import NO_DATA, ends, points, scope, share
from rmjudge.render.sheets import Sheet
from rmjudge.statistics.comparison import Pair
from rmjudge.statistics.retest import Noise, Retest, difference_noise
from rmjudge.vocabulary import PARTS, STYLES, Part

NOTES: Final = (
    "Votes that agree: pairs of votes on one question that name the same winner. Noise: half the "
    "width of the 95 % interval that asking the same questions again would give, in points, of the "
    "accuracies in half credit. In brackets: its share of the estimate's variance; the rest "
    "comes from the tuples. More votes make the noise smaller, more tuples both.",
)
FLOOR_NOTE: Final = (
    "A difference below the noise floor may be gone when the same questions are asked again. It is "
    "in the intervals of `rmjudge compare` already."
)


def retest_sheets(found: Sequence[Retest], remarks: Sequence[str]) -> list[Sheet]:
    """Lay out how each judge repeats itself, per cell too, and the noise of each difference."""
    sheets = [
        Sheet(
            "Judges against themselves",
            ("", "Votes that agree, %", *(f"Noise, {part}" for part in PARTS)),
            tuple(
                (
                    f"{one.name} ({scope(None, one.domains)})",
                    share(one.agreement) + ends(one.interval),
                    *(_noise(one.noises.get(part)) for part in PARTS),
                )
                for one in found
            ),
            (*remarks, *NOTES),
        ),
        *(
            Sheet(
                f"{one.name}: votes that agree per cell, %",
                ("chosen / rejected", *STYLES),
                tuple(
                    (style, *map(share, row)) for style, row in zip(STYLES, one.matrix, strict=True)
                ),
            )
            for one in found
        ),
    ]
    pairs = [(one, two) for one, two in combinations(found, 2) if one.domains == two.domains]
    if pairs:
        sheets.append(
            Sheet(
                "Noise floor of each difference, points",
                ("", "Easy", "Normal", "Hard", "Average"),
                tuple(
                    (
                        f"{one.name} - {two.name}",
                        *(_half(difference_noise(*_both(one, two, part))) for part in PARTS),
                    )
                    for one, two in pairs
                ),
                (FLOOR_NOTE,),
            )
        )
    return sheets


def floor_sheet(pairs: Sequence[Pair], noises: Mapping[str, Mapping[Part, Noise]]) -> Sheet:
    """The differences of compared scorers, average over domains, each with its noise floor."""
    rows = []
    for pair in pairs:
        first, second = noises.get(pair.first, {}), noises.get(pair.second, {})
        overall = {row.part: row for row in pair.differences[-len(PARTS) :]}
        rows.append(
            (
                f"{pair.first} - {pair.second}",
                *(
                    f"{points(overall[part].difference)} "
                    f"{_half(difference_noise(first.get(part), second.get(part)))}"
                    for part in PARTS
                ),
            )
        )
    return Sheet(
        "Differences beside their noise floors, points",
        ("", *(part.capitalize() for part in PARTS)),
        tuple(rows),
        (f"Noise of {', '.join(noises)}, whose votes tell it. {FLOOR_NOTE}",),
    )


def _both(one: Retest, two: Retest, part: Part) -> tuple[Noise | None, Noise | None]:
    return one.noises.get(part), two.noises.get(part)


def _noise(noise: Noise | None) -> str:
    if noise is None:
        return NO_DATA
    part = "" if noise.share is None else f" ({noise.share * 100:.0f} %)"
    return _half(noise.half) + part


def _half(value: float | None) -> str:
    return NO_DATA if value is None else f"±{value * 100:.1f}"


def retest_json(found: Sequence[Retest], remarks: Sequence[str]) -> str:
    """Write everything; fractions."""
    document: Json = {
        "format": 1,
        "remarks": list(remarks),
        "judges": [
            {
                "scorer": one.name,
                "agreement": one.agreement,
                "interval": interval_to_json(one.interval),
                "matrix": matrix_to_json(one.matrix),
                "noise": {
                    part: {"half_width": noise.half, "share_of_variance": noise.share}
                    for part, noise in one.noises.items()
                },
            }
            for one in found
        ],
        "differences": [
            {
                "first": one.name,
                "second": two.name,
                "noise": {part: difference_noise(*_both(one, two, part)) for part in PARTS},
            }
            for one, two in combinations(found, 2)
            if one.domains == two.domains
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
