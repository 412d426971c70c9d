"""What a run found out about one scorer: metrics, tuple by tuple, and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rmjudge.metrics.report import Metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import Domain

if TYPE_CHECKING:
    from rmjudge.plan import Scores  # which a report, that reads results, does without


@dataclass(frozen=True, slots=True)
class TupleResult:
    """One tuple's line of `results.jsonl`: rewards of a pointwise scorer, or a judge's credits."""

    id: int | str
    domain: Domain
    subset: str | None
    score_chosen: Scores | None = None
    score_rejected: Scores | None = None
    matrix: Credits | None = None


@dataclass(frozen=True, slots=True)
class CallCounts:
    """What became of a scorer's calls. `planned` counts each distinct call once.

    `failed` brought no reply; `unscored` brought one that holds no score, which is kept.
    """

    planned: int = 0
    from_cache: int = 0
    sent: int = 0
    retried: int = 0
    failed: int = 0
    unscored: int = 0
    maybe_billed: int = 0


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of the replies bought in this run, as the provider counts them."""

    input: int = 0
    output: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class ScorerResult:
    """One scorer of a run.

    `cost` is in US dollars for this run's replies; `cost_known` is False where a model has
    no known price or a reply no token count, and `cost` is None then, and where nothing can
    be charged. `statuses` counts why calls have no score; `notes` are lines for people.
    """

    metrics: Metrics
    tuples: tuple[TupleResult, ...] = field(repr=False)
    calls: CallCounts
    tokens: Tokens
    cost: float | None
    cost_known: bool
    statuses: Mapping[str, int]
    models: Mapping[str, int]
    notes: tuple[str, ...]
    stopped: str | None = None

    @property
    def note(self) -> str:
        """The notes as one line."""
        return "; ".join(self.notes)
