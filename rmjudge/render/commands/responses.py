"""The correctness and verbosity of responses: a table of means, JSON and CSV rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rmjudge.calls import Json
from rmjudge.render.sheets import Aside, Sheet
from rmjudge.statistics.responses import CORRECTNESS, VERBOSITY, Kind, Responses
from rmjudge.vocabulary import STYLES

NOTES: Final = (
    "Means of what the reward model itself says of each response, in its own units. To be expected "
    "of the data: style moves the verbosity alone, and only the side moves the correctness.",
)
SIDES: Final = {True: "chosen", False: "rejected"}
NAMES: Final = 3


def kind_name(kind: Kind) -> str:
    """How a kind of responses is called, such as `chosen/concise`."""
    return f"{SIDES[kind.chosen]}/{STYLES[kind.style]}"


def responses_sheet(found: Responses) -> Sheet:
    """Lay out a row for each side of each domain."""
    read = [name for meaning, name in found.names.items() if name.casefold() != meaning]
    notes = [*NOTES]
    if read:
        notes.append(
            f"Correctness is {found.names[CORRECTNESS]}, verbosity {found.names[VERBOSITY]}."
        )
    if found.lacking:
        notes.append(f"Responses without both attributes, left out: {found.lacking:,}.")
    return Sheet(
        title=f"{found.name}: correctness and verbosity of responses",
        header=(
            "Domain",
            "Response",
            "Each",
            *(f"{what}, {style}" for what in (CORRECTNESS, VERBOSITY) for style in STYLES),
        ),
        rows=tuple(_rows(found)),
        notes=tuple(notes),
        names=2,
        aside=Aside("Their verbosity", frozenset(range(NAMES + len(STYLES), NAMES + 6))),
    )


def _rows(found: Responses) -> Iterator[tuple[str, ...]]:
    for domain in found.domains:
        kinds = list(found.of(domain).kinds())
        for side in (True, False):
            own = {kind.style: kind for kind in kinds if kind.chosen == side}
            if not own:
                continue
            figures = [
                _figure(getattr(own[style], what)) if style in own else "-"
                for what in (CORRECTNESS, VERBOSITY)
                for style in range(len(STYLES))
            ]
            counts = sorted({len(kind.points) for kind in own.values()})
            each = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
            yield (domain.capitalize(), SIDES[side], each, *figures)


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) >= 1000 or 0 < abs(value) < 0.01 else f"{value:.2f}"


def responses_rows(found: Responses) -> Iterator[tuple[str, str, float, None, None]]:
    """Domain, measure and mean, as `style --format csv` has them; no interval."""
    for domain in found.domains:
        for kind in found.of(domain).kinds():
            yield (domain, f"{CORRECTNESS}:{kind_name(kind)}", kind.correctness, None, None)
            yield (domain, f"{VERBOSITY}:{kind_name(kind)}", kind.verbosity, None, None)


def responses_json(found: Responses) -> Json:
    """The means, and which attributes they are of."""
    means: list[Json] = [
        {
            "domain": domain,
            "side": SIDES[kind.chosen],
            "style": STYLES[kind.style],
            "responses": len(kind.points),
            CORRECTNESS: kind.correctness,
            VERBOSITY: kind.verbosity,
        }
        for domain in found.domains
        for kind in found.of(domain).kinds()
    ]
    return {
        "scorer": found.name,
        "attributes": dict(found.names),
        "lacking": found.lacking,
        "means": means,
    }
