"""The published scores of other benchmarks than RM-Bench, with runs among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmjudge.benchmarks.descriptors import Descriptor
from rmjudge.calls import Json
from rmjudge.leaderboard.sets import Standing
from rmjudge.render.commands.benchmarks import NONE, TIES_COUNT, percent
from rmjudge.render.csvrows import rows_csv
from rmjudge.render.sheets import Sheet
from rmjudge.text import label, one_line

Boards = Sequence[tuple[Descriptor, Sequence[Standing]]]
CSV_HEADER: Final = ("benchmark", "rank", "scorer", "score", "of", "run")


def board_sheets(boards: Boards) -> list[Sheet]:
    """A table a benchmark, the runs in bold."""
    return [
        Sheet(
            title=f"{rules.title}: published scores, % ({rules.average}, {TIES_COUNT[rules.ties]})",
            header=("Rank", "Scorer", "Score", "Of"),
            rows=tuple(
                (
                    str(row.rank) if row.rank else NONE,
                    label(row.scorer),
                    percent(row.score),
                    one_line(row.what) or NONE,
                )
                for row in rows
            ),
            notes=tuple([] if rules.published else [f"No score of {rules.title} is known here."]),
            caption="A run over a part, or with items that are not scored, has no rank.",
            names=2,
            words=frozenset((1, 3)),
            bold=frozenset(place for place, row in enumerate(rows) if row.is_run),
        )
        for rules, rows in boards
    ]


def board_data(boards: Boards) -> list[Json]:
    """For programs; scores are fractions."""
    return [dict(zip(CSV_HEADER, row, strict=True)) for row in _rows(boards)]


def board_csv(boards: Boards) -> str:
    """A row a scorer; scores are fractions."""
    return rows_csv(CSV_HEADER, _rows(boards))


def _rows(boards: Boards) -> list[tuple[str | float | bool | None, ...]]:
    return [
        (rules.name, row.rank, label(row.scorer), row.score, one_line(row.what), row.is_run)
        for rules, rows in boards
        for row in rows
    ]
