"""The table of `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.render.sheets import Sheet
from rmjudge.running.estimate import Estimate
from rmjudge.text import label


def estimate_sheet(estimates: Sequence[Estimate]) -> Sheet:
    """Calls, tokens and cost of each scorer; nothing was called."""
    fewer = (
        " A run that stops once it knows enough may need fewer."
        if any(e.at_most for e in estimates)
        else ""
    )
    return Sheet(
        title="Dry run: nothing was called",
        header=("Scorer", "Calls", "Cached", "To buy", "Tokens in", "Tokens out", "Cost"),
        rows=tuple(
            (
                label(item.scorer),
                f"{item.planned:,}",
                f"{item.from_cache:,}",
                f"{item.to_buy:,}",
                f"{item.input_tokens:,}",
                f"{item.output_tokens:,}",
                _cost(item),
            )
            for item in estimates
        ),
        caption=f"Tokens and cost are estimates.{fewer}",
    )


def _cost(item: Estimate) -> str:
    if not item.cost_known:
        return "unknown"
    return "free" if item.cost is None else f"${item.cost:.2f}"
