"""How often 95 % intervals hold the truth: percentile bootstrap (before) and the product's (after).

    python benchmarks/coverage.py            # every setting, a few minutes
    python benchmarks/coverage.py --draws 200

Each setting draws data sets whose true value is known. The cells of a tuple depend on each other
through a latent quality of the tuple (Gaussian copula); scorers that are compared share it. The
product's own functions make the intervals and the p-values; only the data are made here.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rmjudge.metrics.intervals import Sample, difference_interval, share_interval
from rmjudge.metrics.report import Interval
from rmjudge.statistics.testing import mcnemar

Floats = NDArray[np.float64]

FULL: Final = (129, 529, 228, 441)
"""Tuples of RM-Bench's four domains."""
REPLICATES: Final = 500


@dataclass(frozen=True)
class Setting:
    """`sizes` tuples a domain, `truths` a domain's true share (or the first scorer's).

    `gap` is None for one scorer, else what the second has less than the first. `depend` is the
    correlation of the latent values of a tuple's cells, `ties` the share of ties.
    """

    name: str
    sizes: tuple[int, ...]
    truths: tuple[float, ...]
    cells: int = 3
    depend: float = 0.5
    ties: float = 0.0
    gap: float | None = None
    alike: float = 0.5
    asked: float = 1.0

    @property
    def truth(self) -> float:
        """What the interval should hold."""
        return float(np.mean(self.truths)) if self.gap is None else self.gap


def settings() -> list[Setting]:
    """One domain, the macro average and the paired difference, small and full, at every level."""
    found = [
        Setting(f"one {n:>3} {p:6.1%}", (n,), (p,))
        for n in (10, 40, 129, 529)
        for p in (0.02, 0.1, 0.3, 0.5, 0.8, 0.95, 0.98, 0.99, 0.999)
    ]
    found += [
        Setting(f"one {n:>3} {p:6.1%} nine cells", (n,), (p,), cells=9)
        for n in (10, 129, 529)
        for p in (0.6, 0.9)
    ]
    found += [
        Setting(f"one {n:>3} {p:6.1%} one cell", (n,), (p,), cells=1)
        for n in (10, 129)
        for p in (0.6, 0.98)
    ]
    found += [
        Setting(f"one {n:>3} {p:6.1%} ties {t:.0%}", (n,), (p,), ties=t)
        for n in (10, 129, 529)
        for p, t in ((0.5, 0.2), (0.5, 0.6), (0.5, 0.95), (0.8, 0.3))
    ]
    macros = ((0.02,), (0.3,), (0.6,), (0.9,), (0.98,), (0.99,), (0.999,), (0.5, 0.7, 0.9, 0.99))
    found += [
        Setting(
            f"macro {label} {np.mean(p):6.1%}{' uneven' * (len(p) > 1)}",
            sizes,
            p * 4 if len(p) == 1 else p,
        )
        for label, sizes in (("4x10", (10,) * 4), ("4x40", (40,) * 4), ("full", FULL))
        for p in macros
    ]
    found += [
        Setting(f"macro {label}  60.0% ties 30%", sizes, (0.6,) * 4, ties=0.3)
        for label, sizes in (("4x10", (10,) * 4), ("full", FULL))
    ]
    found += [
        Setting(
            f"macro {label}  {p:.0%} a third of the cells", sizes, (p,) * 4, cells=9, asked=1 / 3
        )
        for label, sizes in (("4x40", (40,) * 4), ("full", FULL))
        for p in (0.6, 0.95)
    ]
    for label, sizes in (
        ("10", (10,)),
        ("40", (40,)),
        ("129", (129,)),
        ("529", (529,)),
        ("4x10", (10,) * 4),
        ("full", FULL),
    ):
        d = len(sizes)
        found += [
            Setting(
                f"diff {label} gap {gap:.0%} {what}", sizes, (p,) * d, gap=gap, alike=alike, ties=t
            )
            for gap, p, alike, t, what in (
                (0.0, 0.7, 0.5, 0.0, "at 70%"),
                (0.0, 0.97, 0.5, 0.0, "at 97%"),
                (0.0, 0.7, 0.99, 0.0, "nearly alike"),
                (0.1, 0.7, 0.5, 0.0, "at 70%"),
                (0.05, 0.98, 0.5, 0.0, "at 98%"),
                (0.0, 0.6, 0.5, 0.3, "ties 30%"),
            )
        ]
        found.append(
            Setting(f"diff {label} gap 5% at 98% one cell", sizes, (0.98,) * d, cells=1, gap=0.05)
        )
        found += [
            Setting(
                f"diff {label} gap {gap:.0%} at {p:.0%} nine cells", sizes, (p,) * d, 9, gap=gap
            )
            for gap, p in ((0.0, 0.7), (0.1, 0.7), (0.05, 0.98))
        ]
    return found


def cells_of(latent: Floats, chances: Floats, ties: float) -> Floats:
    """Credits: 1 below the first threshold, 0.5 up to the second; mean `chances`."""
    tie = np.minimum(ties, 1.98 * np.minimum(chances, 1 - chances))
    low, high = ndtri(chances - tie / 2), ndtri(chances + tie / 2)
    credits: Floats = 0.5 * (latent < low) + 0.5 * (latent < high)
    return credits


def spread_chances(truth: float, cells: int) -> Floats:
    """Chances of the cells around the domain's; their mean is the truth exactly."""
    room = min(truth, 1 - truth)
    offsets = np.linspace(-1, 1, cells) if cells > 1 else np.zeros(1)
    return truth + offsets * room * 0.6


def draw(rng: np.random.Generator, setting: Setting, draws: int) -> list[Floats]:
    """A domain's values each: draws x tuples x cells; differences where there is a gap."""
    found = []
    for n, truth in zip(setting.sizes, setting.truths, strict=True):
        quality = rng.standard_normal((draws, n, 1))
        noise = rng.standard_normal((draws, n, setting.cells))
        a, b = np.sqrt(setting.depend), np.sqrt(1 - setting.depend)
        first = cells_of(
            a * quality + b * noise, spread_chances(truth, setting.cells), setting.ties
        )
        if setting.gap is None:
            found.append(first)
            continue
        # The second scorer sees the same quality, and the same noise as far as they are alike.
        own = rng.standard_normal(noise.shape)
        both = np.sqrt(setting.alike) * noise + np.sqrt(1 - setting.alike) * own
        second = cells_of(
            a * quality + b * both, spread_chances(truth - setting.gap, setting.cells), setting.ties
        )
        found.append(first - second)
    return found


def samples_of(values: Floats) -> list[Sample]:
    """What `metrics.intervals.weighted` makes of each draw, all draws at once."""
    k = values.shape[2]
    scored = np.isfinite(values)
    count = scored.sum(axis=1, keepdims=True)
    share = 1 / (k * count)
    centred = np.where(scored, values - np.nanmean(values, axis=1, keepdims=True), 0.0)
    influence = (centred * share).sum(axis=2)
    weight = (scored * share).sum(axis=2)
    tuples = (weight > 0).sum(axis=1)
    correction = tuples / (tuples - 1)
    columns = (
        tuples,
        np.nanmean(values, axis=1).mean(axis=1),
        correction * (influence**2).sum(axis=1),
        correction * ((centred * share) ** 2).sum(axis=(1, 2)),
        1 / (weight**2).sum(axis=1),
        1 / ((scored * share) ** 2).sum(axis=(1, 2)),
    )
    return [Sample(int(one[0]), *map(float, one[1:])) for one in zip(*columns, strict=True)]


def bootstrap(rng: np.random.Generator, domains: Sequence[Floats]) -> Floats:
    """Percentile intervals of the macro mean, draws x 2; equal tuples are counted together."""
    total: Floats | float = 0.0
    for values in domains:
        means = values.mean(axis=2)
        kinds = np.unique(np.round(means, 9))
        counts = np.stack([(np.abs(means - kind) < 1e-6).sum(axis=1) for kind in kinds], axis=1)
        n = means.shape[1]
        drawn = rng.multinomial(n, counts[:, None, :] / n, size=(len(means), REPLICATES))
        total = total + drawn @ kinds / n
    means = np.asarray(total) / len(domains)
    return np.quantile(means, [0.025, 0.975], axis=1).T


@dataclass(frozen=True)
class Found:
    """Shares of the draws; `width` is the mean of the new intervals over that of the old."""

    setting: Setting
    before: float
    after: float
    width: float
    rejected: float = np.nan
    contradicted: float = np.nan


def run(setting: Setting, draws: int, seed: int) -> Found:
    """Draw, make both intervals, count."""
    rng = np.random.default_rng(seed)
    domains = draw(rng, setting, draws)
    if setting.asked < 1:
        for values in domains:
            chosen = rng.integers(0, 3, size=values.shape[:2])
            group = (np.arange(9) % 3 - np.arange(9) // 3) % 3
            values[chosen[:, :, None] != group] = np.nan
    samples = list(zip(*map(samples_of, domains), strict=True))
    if setting.gap is None:
        made = [share_interval(one) for one in samples]
    else:
        tested = [mcnemar([v[one].mean(axis=1) for v in domains]).p_value for one in range(draws)]
        made = list(map(difference_interval, samples, tested))
    after = np.array(list(map(_ends, made)))
    before = bootstrap(rng, domains) if setting.asked == 1 else np.full_like(after, np.nan)
    rejected = contradicted = np.nan
    if setting.gap is not None:
        p = np.array(tested)
        free = np.array([_ends(difference_interval(one)) for one in samples])
        outside = (free > 0).all(axis=1) | (free < 0).all(axis=1)
        rejected = float((p < 0.05).mean())
        contradicted = float(((p < 0.05) != outside).mean())
    return Found(
        setting,
        _coverage(before, setting.truth),
        _coverage(after, setting.truth),
        float(np.diff(after).mean() / np.diff(before).mean()),
        rejected,
        contradicted,
    )


def _ends(interval: Interval | None) -> tuple[float, float]:
    return (np.nan, np.nan) if interval is None else (interval.low, interval.high)


def _coverage(ends: Floats, truth: float) -> float:
    if np.isnan(ends).any():
        return float("nan")
    return float(((ends[:, 0] <= truth + 1e-6) & (truth - 1e-6 <= ends[:, 1])).mean())


def main() -> None:
    """Simulate every setting and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=1000)
    draws = parser.parse_args().draws
    print("| setting | before | after | width | p < 0.05 | without p |\n|---|---|---|---|---|---|")
    found = []
    for seed, setting in enumerate(settings()):
        one = run(setting, draws, seed)
        found.append(one)
        cells = (one.before, one.after, one.width, one.rejected, one.contradicted)
        texts = [
            "" if np.isnan(x) else f"{x:.3f}" if place == 2 else f"{100 * x:.1f}"
            for place, x in enumerate(cells)
        ]
        print(f"| {setting.name} | " + " | ".join(texts) + " |", flush=True)
    for kind in ("one", "macro", "diff", ""):
        part = [one for one in found if one.setting.name.startswith(kind)]
        before = [one.before for one in part if not np.isnan(one.before)]
        after = [one.after for one in part]
        print(
            f"{kind or 'all'}: {len(part)} settings; before min {100 * min(before):.1f}, mean "
            f"{100 * np.mean(before):.1f}; after min {100 * min(after):.1f}, mean "
            f"{100 * np.mean(after):.1f}"
        )
    for what, sizes in (("all four domains", FULL), ("one domain of 529", (529,))):
        right = [
            one.width
            for one in found
            if abs(one.before - 0.95) < 0.0101 and one.setting.sizes == sizes
        ]
        print(
            f"width, {what}, where the bootstrap covers 94 to 96 %: x {min(right):.3f} to "
            f"{max(right):.3f}, mean {np.mean(right):.3f} ({len(right)} settings)"
        )
    null = [one.rejected for one in found if one.setting.gap == 0]
    against = [one.contradicted for one in found if one.setting.gap is not None]
    print(
        f"compare under the null: p < 0.05 in at most {100 * max(null):.1f} %, mean "
        f"{100 * np.mean(null):.1f} %; intervals made without p that contradict it: at most "
        f"{100 * max(against):.1f} %, mean {100 * np.mean(against):.1f} %; with p: none, by "
        "construction"
    )


if __name__ == "__main__":
    main()
