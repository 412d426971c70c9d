"""How small a difference a run could have shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmjudge.metrics.intervals import Sample, difference_error

POWER: Final = 0.8
ALPHA: Final = 0.05


def detectable(samples: Sequence[Sample | None], alpha: float = ALPHA) -> float | None:
    """Tell how large a true difference must be for the test to find it four times in five.

    `samples` holds each domain's paired differences; `alpha` is the level of the verdict, after
    its correction. (z(1 - alpha/2) + z(power)) times the standard error (Cohen, Statistical Power
    Analysis, 1988, chapter 2): it rests on how much tuples differ, not on the difference found,
    which says nothing of what was there to be found (Hoenig and Heisey, American Statistician 55,
    2001). None without an error for every domain, or above what a difference can be.
    """
    from scipy.special import ndtri

    known = [sample for sample in samples if sample is not None]
    if not known or len(known) < len(samples):
        return None
    size = float(ndtri(1 - alpha / 2) + ndtri(POWER)) * difference_error(known)[0]
    return size if size <= 1.0 else None
