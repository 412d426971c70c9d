"""What length is worth to scorers on other sets than RM-Bench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rmjudge.calls import Json
from rmjudge.render.commands.benchmarks import percent
from rmjudge.render.csvrows import rows_csv
from rmjudge.render.sheets import Sheet
from rmjudge.runs.items import ItemResult, texts_of
from rmjudge.statistics.items import LengthBias, length_bias
from rmjudge.text import label

CSV_HEADER: Final = (
    *("benchmark", "scorer", "longer", "shorter", "gap", "longer_pairs", "shorter_pairs"),
)


@dataclass(frozen=True, slots=True)
class ScorersLength:
    """A scorer's bias of length on one set."""

    benchmark: str
    title: str
    scorer: str
    bias: LengthBias


def length_biases(items: Sequence[ItemResult], data: Sequence[str] = ()) -> list[ScorersLength]:
    """Each scorer's, set by set; `data` says where the texts are now, if they have moved.

    Raises:
        UsageError: the texts cannot be found.
    """
    found = []
    for one in items:
        texts, metrics = texts_of(one, data), one.metrics
        bias = length_bias([(outcome, texts[outcome.name]) for outcome in one.outcomes])
        found.append(ScorersLength(metrics.benchmark, metrics.title, metrics.scorer, bias))
    return found


def style_sheets(found: Sequence[ScorersLength]) -> list[Sheet]:
    """A table a set."""
    return [
        Sheet(
            title=f"{next(one.title for one in found if one.benchmark == name)}: length bias, %",
            header=("Scorer", "Longer", "Shorter", "Gap", "Pairs longer", "Pairs shorter"),
            rows=tuple(_row(one) for one in found if one.benchmark == name),
            caption=(
                "Mean credit of the better response where it is the longer one, and where it is "
                "the shorter one. A scorer of length alone has 100 and 0."
            ),
        )
        for name in dict.fromkeys(one.benchmark for one in found)
    ]


def _row(one: ScorersLength) -> tuple[str, ...]:
    bias = one.bias
    return (
        label(one.scorer),
        *map(percent, (bias.longer, bias.shorter, bias.gap)),
        *map(str, (bias.longer_pairs, bias.shorter_pairs)),
    )


def style_data(found: Sequence[ScorersLength]) -> list[Json]:
    """For programs; credits are fractions."""
    return [dict(zip(CSV_HEADER, _figures(one), strict=True)) for one in found]


def style_csv(found: Sequence[ScorersLength]) -> str:
    """A row a scorer and set; credits are fractions."""
    return rows_csv(CSV_HEADER, [_figures(one) for one in found])


def _figures(one: ScorersLength) -> tuple[str | float | None, ...]:
    bias = one.bias
    return (
        *(one.benchmark, label(one.scorer), bias.longer, bias.shorter, bias.gap),
        *(bias.longer_pairs, bias.shorter_pairs),
    )
