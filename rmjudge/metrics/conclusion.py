"""What a scorer's numbers say in one sentence: does it judge substance or style, and is it sure?

Hard decides. There the wrong response has the fancier style, so a scorer of substance gets more
than half, a scorer of style less (RM-Bench, ICLR 2025, section 4: a Hard accuracy below chance is
style bias).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.report import Interval, Metrics

Judges: TypeAlias = Literal["style", "substance", "plainness", "wrong", "ties", "open", "nothing"]
HALF: Final = 0.5
_SAID: Final[dict[Judges, str]] = {
    "style": "judges style",
    "substance": "judges substance",
    "plainness": "prefers the plainer response",
    "wrong": "prefers the wrong response",
    "ties": "sees no difference in most pairs",
    "open": "style or substance is not decided",
    "nothing": "cannot be judged: no score in Easy or in Hard",
}


@dataclass(frozen=True, slots=True)
class Conclusion:
    """One sentence about a scorer, and what it rests on.

    `judges` is `open` where the intervals do not decide. `sentence` begins with a verb, so that a
    name can stand before it; `certainty` is a second sentence: what the intervals say.
    """

    judges: Judges
    sentence: str
    certainty: str

    @property
    def text(self) -> str:
        """Both sentences, where the scorer's name is not needed."""
        return f"{self.sentence[:1].upper()}{self.sentence[1:]}. {self.certainty}".rstrip()

    def text_of(self, name: str) -> str:
        """Both sentences, of a scorer by its name."""
        verb = ": " if self.judges in ("open", "nothing") else " "
        return f"{name}{verb}{self.sentence}. {self.certainty}".rstrip()


def conclude(metrics: Metrics, length: Accuracies | None = None) -> Conclusion:
    """Say what the headline numbers show; `length` is what a length counter gets on the same data.

    A scorer is placed by the 95 % intervals of Easy and Hard on either side of a half. Cells
    without a score widen them: the sentence holds whatever these would have been.
    """
    easy, hard = metrics.headline.easy, metrics.headline.hard
    around_easy, around_hard = metrics.intervals.easy, metrics.intervals.hard
    if easy is None or hard is None:
        return Conclusion("nothing", _SAID["nothing"], "")
    figures = f"Easy {_percent(easy)}, Hard {_percent(hard)}{_over(metrics)}"
    if length is not None and length.easy is not None and length.hard is not None:
        figures += f"; a length counter gets {_percent(length.easy)} and {_percent(length.hard)}"
    if around_easy is None or around_hard is None:
        return Conclusion("open", f"{_SAID['open']}: {figures}", "There are too few tuples.")
    lost = _lost(metrics)
    wide_easy, wide_hard = _widened(around_easy, lost), _widened(around_hard, lost)
    judges = _judges(metrics, wide_easy, wide_hard)
    sentence = f"{_SAID[judges]}: {figures}"
    return Conclusion(judges, sentence, _certainty(metrics, judges, wide_easy, wide_hard, lost))


def _judges(metrics: Metrics, easy: Interval, hard: Interval) -> Judges:
    if (metrics.tie_rate or 0.0) > HALF:
        return "ties"
    if hard.low > HALF:
        return "plainness" if easy.high < HALF else "substance"
    if hard.high >= HALF:
        return "open"
    if easy.low > HALF:
        return "style"
    return "wrong" if easy.high < HALF else "open"


def _certainty(
    metrics: Metrics, judges: Judges, easy: Interval, hard: Interval, lost: float
) -> str:
    if judges == "ties":
        lot = "counts as lost" if metrics.reading == "strict" else "is half a win"
        return f"Tied: {_percent(metrics.tie_rate or 0.0)} %; a tie {lot} here."
    cells = ", cells without a score allowed for" if lost else ""
    about = f"the 95 % interval of Hard is {_range(hard)}{cells}"
    if judges == "open":
        if hard.high < HALF:  # the wrong response wins there, but perhaps everywhere
            return f"Not sure: the 95 % interval of Easy is {_range(easy)}{cells}, and includes 50."
        return f"Not sure: {about}, and includes 50."
    told = f"Sure: {about}, all {'below' if hard.high < HALF else 'above'} 50"
    if judges == "substance" and easy.low > hard.high:
        return f"{told}; style still helps, that of Easy is {_range(easy)}."
    return f"{told}."


def _lost(metrics: Metrics) -> float:
    """How far Easy and Hard could be off, at most, by cells that have no score.

    If every such cell of a domain were in one difficulty, which has a third of its cells, that
    difficulty's mean could move by so much; a mean over the domains, as the difficulty is.
    """
    shares = [
        min(1.0, 3 * part.unscored_cells / part.asked_cells) if part.asked_cells else 1.0
        for part in metrics.domains.values()
    ]
    return math.fsum(shares) / len(shares)


def _widened(interval: Interval, by: float) -> Interval:
    return Interval(max(interval.low - by, 0.0), min(interval.high + by, 1.0))


def _over(metrics: Metrics) -> str:
    """Which domains the numbers are over, where it is not all of them."""
    return f" (over {', '.join(metrics.domains)} only)" if metrics.missing_domains else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def _range(interval: Interval) -> str:
    return f"{_percent(interval.low)} to {_percent(interval.high)}"
