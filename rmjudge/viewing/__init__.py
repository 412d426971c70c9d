"""Runs as people look at them: each tuple with its texts, its outcomes and the judges' words.

::

    naming       what a user calls a tuple -> the tuples of the runs
    statements   a run and its tuples -> the stored replies, as words
    gathering    runs -> one view: every tuple once, an outcome for each scorer
    lengths      a view -> how winning goes with length

Files and the cache are read; nothing is asked, nothing is written and no key is needed. What
cannot be found is left out and said.
"""

from __future__ import annotations

from rmjudge.viewing.gathering import Outcome, View, ViewedScorer, ViewedTuple, gather
from rmjudge.viewing.naming import tuples_named
from rmjudge.viewing.statements import Statement

__all__ = [
    "Outcome",
    "Statement",
    "View",
    "ViewedScorer",
    "ViewedTuple",
    "gather",
    "tuples_named",
]
