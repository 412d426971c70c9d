"""What can be told of a data set without reading its prompts: by words, by length, by marks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rmjudge.dataset.tuples import DataSet
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.statistics.baselines import longer_wins, more_marks_win
from rmjudge.statistics.gaps import Gap, gaps
from rmjudge.statistics.wording import WordTest, word_tests
from rmjudge.vocabulary import Domain, Style


@dataclass(frozen=True, slots=True)
class Looks:
    """Of each domain what words, length and marks alone tell, and the gaps between the sides.

    `words` lacks domains of too few tuples. `gaps` are by measure and style, over all tuples.
    """

    words: Mapping[Domain, Mapping[Style, WordTest]]
    longer: Mapping[Domain, Accuracies]
    marked: Mapping[Domain, Accuracies]
    gaps: Mapping[str, Mapping[Style, Gap]]


def looks_of(data: DataSet) -> Looks:
    """Measure a data set, which holds a tuple at least."""
    return Looks(word_tests(data), longer_wins(data), more_marks_win(data), gaps(data.tuples))
