"""How a number is written: percent, interval, count and cost. Unknown is never a 0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from rmjudge.metrics.report import Interval
from rmjudge.vocabulary import Domain, is_benchmark

Remark = Literal["incomplete", "unscored", "shared"]
"""Why a number is marked: domains missing, cells not scored, several scorers or not all tuples."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The signs of one output: a terminal, an ASCII terminal, Markdown or LaTeX."""

    no_data: str
    incomplete: str
    unscored: str
    shared: str
    chosen_axis: str
    rejected_axis: str
    ellipsis: str

    def mark(self, kind: Remark) -> str:
        """The sign of a footnote."""
        return {
            "incomplete": self.incomplete,
            "unscored": self.unscored,
            "shared": self.shared,
        }[kind]


UNICODE: Final = Glyphs(
    no_data="\N{EN DASH}",
    incomplete="*",
    unscored="†",
    shared="‡",
    chosen_axis="chosen ↓",
    rejected_axis="rejected →",
    ellipsis="\N{HORIZONTAL ELLIPSIS}",
)
ASCII: Final = Glyphs(
    no_data="-",
    incomplete="*",
    unscored="#",
    shared="+",
    chosen_axis="chosen v",
    rejected_axis="rejected >",
    ellipsis="~",
)
MARKDOWN: Final = Glyphs(
    no_data="\N{EN DASH}",
    incomplete=r"\*",
    unscored="†",
    shared="‡",
    chosen_axis="chosen ↓",
    rejected_axis="rejected →",
    ellipsis="\N{HORIZONTAL ELLIPSIS}",
)
LATEX: Final = Glyphs(
    no_data="--",
    incomplete="$^{*}$",
    unscored=r"$^{\dagger}$",
    shared=r"$^{\ddagger}$",
    chosen_axis=r"chosen $\downarrow$",
    rejected_axis=r"rejected $\rightarrow$",
    ellipsis=r"\dots{}",
)
NO_DATA: Final = "-"
"""Of the statistics, whose figures are ASCII."""

HEAT: Final = ((241, 141, 59), (247, 244, 236), (103, 169, 222))
"""Orange, white, blue at 0, 50 and 100 %: light enough for black figures, apart for all eyes."""
LEANING: Final = ((175, 141, 195), (247, 247, 247), (127, 191, 123))
"""Purple, white, green: away from a half on either side, and neither is good."""


def known(value: float | None) -> float | None:
    """Treat what is not a finite number as the absence of data that it is."""
    return value if value is not None and math.isfinite(value) else None


def tuples_word(count: int) -> str:
    """`1 tuple`, `1,327 tuples`."""
    return f"{count:,} tuple{'s' * (count != 1)}"


def percent(value: float | None, glyphs: Glyphs = UNICODE) -> str:
    """Write a fraction in percent with one decimal, without the sign."""
    fraction = known(value)
    return glyphs.no_data if fraction is None else f"{fraction * 100:.1f}"


def ends(interval: Interval | None) -> str:
    """Write both ends of an interval in percent as ` (65.9-70.2)`; nothing where there is none."""
    if interval is None or known(interval.low) is None or known(interval.high) is None:
        return ""
    return f" ({percent(interval.low)}-{percent(interval.high)})"


def dollars(cost: float | None, *, cost_known: bool, glyphs: Glyphs = UNICODE) -> str:
    """Write a cost in US dollars; `unknown` without a price, no figure where none is charged."""
    amount = known(cost)
    if not cost_known:
        return "unknown"
    if amount is None or amount == 0:
        return glyphs.no_data
    if amount < 0.0001:
        return "<$0.0001"
    return f"${amount:.4f}" if amount < 1 else f"${amount:,.2f}"


def points(fraction: float | None) -> str:
    """Write a difference of fractions in percentage points, with its sign."""
    number = known(fraction)
    return NO_DATA if number is None else f"{round(number * 100, 1) + 0.0:+.1f}"


def signed(value: float | None) -> str:
    """Write a coefficient with its sign and two decimals."""
    number = known(value)
    return NO_DATA if number is None else f"{round(number, 2) + 0.0:+.2f}"


def share(fraction: float | None) -> str:
    """Write a fraction in percent."""
    number = known(fraction)
    return NO_DATA if number is None else f"{number * 100:.1f}"


def chance(p_value: float | None) -> str:
    """Write a p-value with three decimals; never as 0."""
    number = known(p_value)
    if number is None:
        return NO_DATA
    return "<0.001" if number < 0.001 else f"{number:.3f}"


def scope(domain: Domain | None, domains: Sequence[Domain]) -> str:
    """Name a domain, or what an average is over: `all` only where it is the benchmark's four."""
    if domain is not None:
        return domain
    return "all" if is_benchmark(domains) else "+".join(domains)


def points_range(interval: Interval | None) -> str:
    """Write an interval of percentage points."""
    return NO_DATA if interval is None else f"{_bare(interval.low)} to {_bare(interval.high)}"


def _bare(fraction: float) -> str:
    return points(fraction).removeprefix("+")


def signed_ends(value: float | None, interval: Interval | None) -> str:
    """Write a coefficient and both ends of its interval."""
    if interval is None:
        return signed(value)
    return f"{signed(value)} ({signed(interval.low)} to {signed(interval.high)})"


def signed_range(interval: Interval | None) -> str:
    """Write an interval of a coefficient."""
    return NO_DATA if interval is None else f"{signed(interval.low)} to {signed(interval.high)}"


def heat(value: float | None) -> str | None:
    """Choose a background as `#rrggbb` for a fraction, None where there is no data."""
    return _mixed(value, HEAT)


def leaning(value: float | None) -> str | None:
    """Like `heat`, for a fraction of which neither end is good: a half is what is hoped for."""
    return _mixed(value, LEANING)


def _mixed(value: float | None, colours: Sequence[tuple[int, int, int]]) -> str | None:
    fraction = known(value)
    if fraction is None:
        return None
    position = min(max(fraction, 0.0), 1.0) * (len(colours) - 1)
    start = min(int(position), len(colours) - 2)
    part = position - start
    mix = (
        round(a + (b - a) * part) for a, b in zip(colours[start], colours[start + 1], strict=True)
    )
    return "#" + "".join(f"{channel:02x}" for channel in mix)
