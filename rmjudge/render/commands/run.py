"""The table of `--dry-run`."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.render.figures import chance, points, points_range, share
from rmjudge.render.sheets import Sheet
from rmjudge.running.estimate import Estimate
from rmjudge.statistics.sequential import ASSUMED_SD, LOOKS, Decision, Expectation
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
            *(f"{label(item.scorer)}: {item.batches.told()}" for item in estimates if item.batches),
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
        lines.append("A run that stops once it knows enough may need fewer calls.")
    return lines


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
