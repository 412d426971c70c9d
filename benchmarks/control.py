"""What `compare --with CHEAP` does to intervals: coverage and width, simulated.

    python benchmarks/control.py --draws 200

Judges are drawn as in `sequential.py`; the dear one is asked a third of the tuples, the cheap one
all. "used": the row's interval, or where nothing is estimated the plain one. The product's own
function estimates; only the data are made here.
"""

from __future__ import annotations

import argparse
from typing import Final

import numpy as np
from harness import show
from numpy.typing import NDArray
from scipy.special import ndtri
from sequential import CELLS_OF, CHANCES, SIZES, truth

from rmjudge.metrics.tallies import Credits
from rmjudge.statistics.control import control
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import DOMAINS, TupleKey

Floats = NDArray[np.float64]

DEPEND: Final = 0.6
COMMON: Final = (0.0, 0.4, 0.6, 0.8)
"""How much of a tuple's quality is the same for both."""
PLACES: Final = {"full": SIZES, "one of 129": (129,), "one of 45": (45,), "four of 45": (45,) * 4}


def both(rng: np.random.Generator, size: int, common: float) -> list[Floats]:
    """The verdicts of two judges on a domain (tuples x 9)."""
    shared = rng.standard_normal((size, 1))
    found = []
    for _ in range(2):
        own = rng.standard_normal((size, 1))
        quality = np.sqrt(common) * shared + np.sqrt(1 - common) * own
        latent = np.sqrt(DEPEND) * quality + np.sqrt(1 - DEPEND) * rng.standard_normal((size, 9))
        found.append(np.asarray(latent < ndtri(CHANCES), dtype=np.float64))
    return found


def credits(domains: list[Floats]) -> dict[TupleKey, Credits]:
    """As a run has them."""
    return {
        (domain, place): tuple(map(tuple, cells))
        for domain, values in zip(DOMAINS, domains, strict=False)
        for place, cells in enumerate(values.reshape(-1, 3, 3).tolist())
    }


def rows(draws: int) -> list[list[str]]:
    """A row a size, a share in common and a part."""
    found = []
    for place, sizes in PLACES.items():
        for common in COMMON:
            rng = np.random.default_rng(7)
            seen: dict[str, list[list[float]]] = {part: [] for part in CELLS_OF}
            for _ in range(draws):
                domains = [both(rng, size, common) for size in sizes]
                dear = Scored(
                    "dear", "pairwise", credits([d[0][: len(d[0]) // 3] for d in domains])
                )
                cheap = Scored("cheap", "pairwise", credits([d[1] for d in domains]))
                (items,) = control([dear], cheap, "half_credit").estimates.values()
                for item in items:
                    if item.part not in seen or item.asked_interval is None:
                        continue
                    ends = item.interval or item.asked_interval
                    true = truth(item.part)
                    plain = item.asked_interval.low <= true <= item.asked_interval.high
                    held = ends.low <= true <= ends.high
                    width = item.narrower or 1.0
                    seen[item.part].append(
                        [item.correlation or 0, plain, held, item.value is not None, width]
                    )
            for part, values in seen.items():
                r, plain, held, given, width = np.mean(values, axis=0)
                shares = [f"{100 * x:.1f}" for x in (plain, held, given)]
                found.append([place, part, f"{r:.2f}", *shares, f"x {width:.2f}"])
    return found


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=200)
    draws = parser.parse_args().draws
    header = ["tuples", "part", "correlation", "plain, %", "used, %", "estimated, %", "width"]
    show(header, rows(draws))


if __name__ == "__main__":
    main()
