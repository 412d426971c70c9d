"""Position bias of a judge: how often it prefers whatever is shown first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rmjudge.calls import Verdict
from rmjudge.metrics.accuracy import matrix_of
from rmjudge.metrics.intervals import pooled, share_interval
from rmjudge.metrics.report import Position
from rmjudge.metrics.tallies import TIE, Credits, tally
from rmjudge.metrics.uncertainty import nine


def position_of(
    verdicts: Iterable[Verdict], swaps: Sequence[Credits], firsts: Sequence[Credits] = ()
) -> Position:
    """Share of decided verdicts for the first response; share that survives the swap.

    For each tuple, `swaps` holds 3x3 of 1 (both orders agree), 0 (they do not) or None (not both
    asked), and `firsts` 3x3 of the share of a cell's decided verdicts for the first response.
    """
    decided = [verdict.first > TIE for verdict in verdicts if verdict.first != TIE]
    cells = tally(swaps)
    pairs = sum(cell.scored for row in cells for cell in row)
    first_share = sum(decided) / len(decided) if decided else None
    by_tuple = pooled([nine(one) for one in firsts])
    return Position(
        decided=len(decided),
        first_share=first_share,
        swap_consistency=(
            sum(cell.credit for row in cells for cell in row) / pairs if pairs else None
        ),
        swap_matrix=matrix_of(cells, lambda cell: cell.credit) if pairs else None,
        first_matrix=matrix_of(tally(firsts), lambda cell: cell.credit) if decided else None,
        # The share counts a verdict that serves two cells once: so do the ends lie around it.
        first_interval=(
            share_interval([replace(by_tuple, mean=first_share)])
            if by_tuple is not None and first_share is not None
            else None
        ),
        swap_interval=share_interval([pooled([nine(one) for one in swaps])]),
    )
