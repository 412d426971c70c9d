"""What `rmjudge style` makes of scorers that like length alone, simulated on real lengths.

    python benchmarks/lengths.py ../shared/data/rm-bench/chat_filtered.json

A scorer's utility of a response is a quality of its side, its liking of the length and noise. The
share of simulated runs whose 95 % interval of the Markdown coefficient leaves 0 out is shown for
the model that has the length as a ratio alone, and for the one with the difference too. But for
the last row no scorer cares for Markdown. The product's own functions fit; only scores are drawn.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from harness import show
from numpy.typing import NDArray

from rmjudge.dataset import DataSet, load
from rmjudge.statistics.scored import Scored
from rmjudge.statistics.style import Estimate, Model, lengths_of, style_of
from rmjudge.vocabulary import STYLES

Floats = NDArray[np.float64]

SUBSTANCE: Final = 0.5
"""What the chosen's side is worth, in standard deviations of the noise."""


@dataclass(frozen=True)
class Taste:
    """What a scorer likes: characters to utility, the noise's size, what Markdown is worth."""

    name: str
    liking: Callable[[Floats], Floats]
    noise: float
    markdown: float = 0.0


TASTES: Final = (
    Taste("characters, noise 500", lambda size: size, 500),
    Taste("characters, noise 1,500", lambda size: size, 1500),
    Taste("root of characters, noise 15", np.sqrt, 15),
    Taste("log2 of characters, noise 1", np.log2, 1),
    Taste("characters up to 1,500, noise 500", lambda size: np.minimum(size, 1500), 500),
    Taste("characters, Markdown worth 300 of them, noise 500", lambda size: size, 500, 300),
)


def scored(rng: np.random.Generator, data: DataSet, taste: Taste) -> Scored:
    """One simulated run: wins of the chosen, cell by cell."""
    credits = {}
    for item in data:
        sides = []
        for worth, texts in ((SUBSTANCE, item.chosen), (0.0, item.rejected)):
            sizes = np.array([max(len(text), 1) for text in texts], dtype=np.float64)
            likes = taste.liking(sizes) + taste.markdown * np.array([0.0, 0.0, 1.0])
            sides.append(likes + taste.noise * (worth + rng.standard_normal(len(STYLES))))
        chosen, rejected = sides
        credits[item.key] = tuple(tuple(float(c > r) for r in rejected) for c in chosen)
    return Scored(taste.name, "pointwise", credits)


def found(model: Model | None, name: str) -> bool:
    """Whether a coefficient's interval leaves 0 out."""
    estimate: Estimate | None = getattr(model, name, None)
    interval = estimate.interval if estimate else None
    return interval is not None and not interval.low <= 0 <= interval.high


def row(data: DataSet, taste: Taste, draws: int, seed: int) -> list[str]:
    """The shares for one scorer."""
    rng = np.random.default_rng(seed)
    lengths = {item.key: lengths_of(item) for item in data}
    counts = np.zeros(4)
    for _ in range(draws):
        style = style_of(scored(rng, data, taste), lengths, "strict")
        models = (style.model, style.both_lengths)
        counts += [found(model, name) for name in ("markdown", "detail") for model in models]
    return [taste.name, *(f"{100 * count / draws:.0f}" for count in counts)]


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args()
    data = load([str(path) for path in given.data])
    print(f"{len(data)} tuples, {given.draws} draws: share of runs with a coefficient, %")
    head = (
        "liking",
        "Markdown, ratio",
        "ratio + difference",
        "detail, ratio",
        "ratio + difference",
    )
    show(head, [row(data, taste, given.draws, seed) for seed, taste in enumerate(TASTES)])


if __name__ == "__main__":
    main()
