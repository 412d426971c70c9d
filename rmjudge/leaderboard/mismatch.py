"""Whether a row contradicts itself, and how.

RM-Bench defines Overall = mean of the four domains = mean of the three difficulties (README,
"Clarity on Avg Calculation"), so the three differ by rounding only.
"""

from __future__ import annotations

from typing import Final

from rmjudge.leaderboard.published import Figures

ROUNDING: Final = 0.001
"""How far two of the averages may lie apart: each is off by at most half of the last digit that
the figures are published with (0.1 %), be it rounded itself or a mean of rounded figures."""
_SLACK: Final = 1e-9


def mismatch(figures: Figures) -> str:
    """Say how the averages of a row contradict each other; empty where rounding explains all."""
    overall, domains, difficulties = (
        figures.overall,
        figures.domain_average,
        figures.difficulty_average,
    )
    averages = [value for value in (overall, domains, difficulties) if value is not None]
    if len(averages) < 2 or max(averages) - min(averages) <= ROUNDING + _SLACK:
        return ""
    means = [
        f"the {what} average {_percent(value)}"
        for what, value in (("domains", domains), ("difficulties", difficulties))
        if value is not None
    ]
    return (
        f"score mismatch: Overall {_percent(overall)}, {' and '.join(means)}; "
        "by definition these are equal"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value * 100:.1f}"
