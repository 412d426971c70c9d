"""The table of `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from rmjudge.estimate import Estimate
from rmjudge.render.text import label


def estimate_table(estimates: Sequence[Estimate]) -> Table:
    """Calls, tokens and cost of each scorer; nothing was called."""
    table = Table(
        box=box.SIMPLE_HEAD,
        title="Dry run: nothing was called",
        caption="Tokens and cost are estimates."
        + (" Judges asked adaptively may need fewer." if any(e.at_most for e in estimates) else ""),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("Scorer", overflow="fold", min_width=14)
    for heading in ("Calls", "Cached", "To buy", "Tokens in", "Tokens out", "Cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for item in estimates:
        table.add_row(
            Text(label(item.scorer)),
            f"{item.planned:,}",
            f"{item.from_cache:,}",
            f"{item.to_buy:,}",
            f"{item.input_tokens:,}",
            f"{item.output_tokens:,}",
            _cost(item),
        )
    return table


def _cost(item: Estimate) -> str:
    if not item.cost_known:
        return "unknown"
    return "free" if item.cost is None else f"${item.cost:.2f}"
