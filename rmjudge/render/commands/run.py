"""The table of `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.render.figures import chance, points, points_range, share
from rmjudge.render.sheets import Sheet
from rmjudge.running.estimate import Estimate
from rmjudge.statistics.sequential import ASSUMED_SD, LOOKS, Decision, Expectation
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


def expectation_sheet(expected: Sequence[Expectation]) -> Sheet:
    """What a run until it is decided may expect to ask."""
    return Sheet(
        title="Until it is decided: what to expect",
        header=("True difference, points", "Share of the calls, %", "Decided, %"),
        rows=tuple(
            (f"{100 * one.gap:g}", share(one.share), share(one.decided)) for one in expected
        ),
        caption=f"Computed for differences that vary by {100 * ASSUMED_SD:g} points from tuple to "
        "tuple, as those of simulated judges do; of your models nothing is known yet.",
    )


def decision_line(decision: Decision) -> str:
    """Say which scorer is better, or that it is not known, and what was asked."""
    first, second = label(decision.first), label(decision.second)
    about = f"{100 * decision.share:.0f} % of the calls, {decision.looks} of {LOOKS} looks"
    if decision.difference is None:
        return f"not decided: too few tuples that both scored ({about})"
    found = (
        f"{first} less {second}: {points(decision.difference)} points "
        f"({points_range(decision.interval)}), p {chance(decision.p)}"
    )
    if decision.better is None:
        return f"not decided which is better ({about}); {found}"
    return f"decided: {label(decision.better)} is better ({about}); {found}"


def _cost(item: Estimate) -> str:
    if not item.cost_known:
        return "unknown"
    return "free" if item.cost is None else f"${item.cost:.2f}"
