"""The table of `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.render.sheets import Sheet
from rmjudge.running.estimate import Estimate
from rmjudge.text import label


def estimate_sheet(estimates: Sequence[Estimate], ceilings: Sequence[str] = ()) -> Sheet:
    """Calls, tokens, time and cost of each scorer, and the `ceilings` that would be reached."""
    return Sheet(
        title="Dry run: nothing was called",
        header=(
            *("Scorer", "Calls", "Cached", "To buy", "Tokens in", "Tokens out"),
            *("Time", "Likely cost", "At most"),
        ),
        rows=tuple(
            (
                label(item.scorer),
                f"{item.planned:,}",
                f"{item.from_cache:,}",
                f"{item.to_buy:,}",
                f"{item.input_tokens:,}",
                f"{item.output_tokens:,}",
                _time(item.seconds),
                _cost(item, item.cost),
                _cost(item, item.most.cost),
            )
            for item in estimates
        ),
        notes=(
            *ceilings,
            *(
                line
                for item in estimates
                if item.price_lines
                for line in (
                    f"The price of {label(item.scorer)} is not known; {item.price_lines}"
                ).splitlines()
            ),
        ),
        caption=" ".join(_caption(estimates)),
    )


def _caption(estimates: Sequence[Estimate]) -> list[str]:
    lines = ["Tokens, time and likely cost are estimates."]
    kept = [item for item in estimates if item.kept and item.to_buy]
    if kept:
        named = ", ".join(label(item.scorer) for item in kept)
        lines.append(f"They go by kept answers of {named}.")
    if any(item.seconds and not item.timed for item in estimates):
        lines.append("Time without kept answers is a guess: 50 tokens a second.")
    if any(item.most.cost for item in estimates):
        lines.append("At most: every reply as long as its limit.")
    if any(item.at_most for item in estimates):
        lines.append("Judges asked adaptively may need fewer.")
    return lines


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "unknown"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _cost(item: Estimate, dollars: float | None) -> str:
    if item.free:
        return "free"
    return "unknown" if dollars is None else f"${dollars:.2f}"
