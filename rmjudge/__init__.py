"""Find out whether a reward model judges substance or style.

::

    import rmjudge

    run = rmjudge.evaluate("openai/gpt-4.1", data="rm-bench")
    print(run["openai/gpt-4.1"].metrics.headline.hard)

Names are imported when first used, so that `rmjudge --help` loads next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rmjudge.api import aevaluate, evaluate, load
    from rmjudge.errors import (
        DataError,
        Interrupted,
        ProviderStopped,
        RmjudgeError,
        StopRun,
        StorageStopped,
        UsageError,
    )
    from rmjudge.runs.results import ScorerResult, TupleResult
    from rmjudge.scorer import PairwiseScorer, PointwiseScorer, Scorer
    from rmjudge.session import Run
    from rmjudge.version import __version__

__all__ = [
    "DataError",
    "Interrupted",
    "PairwiseScorer",
    "PointwiseScorer",
    "ProviderStopped",
    "RmjudgeError",
    "Run",
    "Scorer",
    "ScorerResult",
    "StopRun",
    "StorageStopped",
    "TupleResult",
    "UsageError",
    "__version__",
    "aevaluate",
    "evaluate",
    "load",
]

_HOME = {
    "__version__": "version",
    **dict.fromkeys(("aevaluate", "evaluate", "load"), "api"),
    **dict.fromkeys(("ScorerResult", "TupleResult"), "runs.results"),
    **dict.fromkeys(("PairwiseScorer", "PointwiseScorer", "Scorer"), "scorer"),
    "Run": "session",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'rmjudge' has no attribute {name!r}")
    return getattr(import_module(f"rmjudge.{_HOME.get(name, 'errors')}"), name)
