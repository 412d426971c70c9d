"""Position bias of a judge: how often it prefers whatever is shown first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rmjudge.calls import Verdict
from rmjudge.metrics.accuracy import matrix_of
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import TIE, Credits, tally


def position_of(verdicts: Iterable[Verdict], swaps: Sequence[Credits]) -> Position:
    """Share of decided verdicts for the first response; share that survives the swap.

    `swaps` holds 3x3 of 1 (both orders agree), 0 (they do not) or None (not both asked).
    """
    decided = [verdict.first > TIE for verdict in verdicts if verdict.first != TIE]
    cells = tally(swaps)
    pairs = sum(cell.scored for row in cells for cell in row)
    return Position(
        decided=len(decided),
        first_share=sum(decided) / len(decided) if decided else None,
        swap_consistency=(
            sum(cell.credit for row in cells for cell in row) / pairs if pairs else None
        ),
        swap_matrix=matrix_of(cells, lambda cell: cell.credit) if pairs else None,
    )
