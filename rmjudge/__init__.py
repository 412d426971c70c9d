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
    from rmjudge.api import aevaluate, ascore, compare, evaluate, load, report, score, style
    from rmjudge.errors import (
        BatchesUnderWay,
        BudgetReached,
        DataError,
        Interrupted,
        MissingKeyError,
        ModelRefused,
        NotInRunsError,
        NoVerdicts,
        ProviderStopped,
        RmjudgeError,
        StopRun,
        StorageStopped,
        UsageError,
    )
    from rmjudge.findings import Compared, StyleReports
    from rmjudge.planning.texts import Comparison
    from rmjudge.running.scoring import TextScores
    from rmjudge.runs.results import ScorerResult, TupleResult
    from rmjudge.scorer import PairwiseScorer, PointwiseScorer, Scorer
    from rmjudge.session import Run
    from rmjudge.version import __version__

__all__ = [
    "BatchesUnderWay",
    "BudgetReached",
    "Compared",
    "Comparison",
    "DataError",
    "Interrupted",
    "MissingKeyError",
    "ModelRefused",
    "NoVerdicts",
    "NotInRunsError",
    "PairwiseScorer",
    "PointwiseScorer",
    "ProviderStopped",
    "RmjudgeError",
    "Run",
    "Scorer",
    "ScorerResult",
    "StopRun",
    "StorageStopped",
    "StyleReports",
    "TextScores",
    "TupleResult",
    "UsageError",
    "__version__",
    "aevaluate",
    "ascore",
    "compare",
    "evaluate",
    "load",
    "report",
    "score",
    "style",
]

_HOME = {
    "__version__": "version",
    **dict.fromkeys(
        ("aevaluate", "ascore", "compare", "evaluate", "load", "report", "score", "style"), "api"
    ),
    "Comparison": "planning.texts",
    "TextScores": "running.scoring",
    **dict.fromkeys(("Compared", "StyleReports"), "findings"),
    **dict.fromkeys(("ScorerResult", "TupleResult"), "runs.results"),
    **dict.fromkeys(("PairwiseScorer", "PointwiseScorer", "Scorer"), "scorer"),
    "Run": "session",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'rmjudge' has no attribute {name!r}")
    return getattr(import_module(f"rmjudge.{_HOME.get(name, 'errors')}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
