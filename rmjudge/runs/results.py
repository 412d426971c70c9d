"""What a run found out about one scorer: metrics, tuple by tuple, and what it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rmjudge.forms import Shown
from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.report import Metrics
from rmjudge.metrics.tallies import Credits, credits_of_rewards
from rmjudge.vocabulary import Domain, TupleKey

if TYPE_CHECKING:
    from rmjudge.planning.plan import Scores  # which a report, that reads results, does without


@dataclass(frozen=True, slots=True)
class TupleResult:
    """One tuple's line of `results.jsonl`: rewards of a pointwise scorer, or a judge's credits.

    `scorer` says who gave them, where several share a data set (a run with a fallback).
    """

    id: int | str
    domain: Domain
    subset: str | None
    score_chosen: Scores | None = None
    score_rejected: Scores | None = None
    matrix: Credits | None = None
    scorer: str | None = None

    @property
    def name(self) -> str:
        """The key as people write it: `chat/17`."""
        return f"{self.domain}/{self.id}"

    @property
    def key(self) -> TupleKey:
        """What it is found by; an id alone is not unique across domains."""
        return self.domain, self.id

    @property
    def credits(self) -> Credits:
        """The nine cells, whatever the scorer: a judge's credits, or those of the rewards."""
        if self.matrix is not None:
            return self.matrix
        unknown = (None, None, None)
        return credits_of_rewards(self.score_chosen or unknown, self.score_rejected or unknown)


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
    """Tokens of replies, as the provider counts them."""

    input: int = 0
    output: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """What answers took, whenever they were bought: `calls` of them, and US dollars.

    `cost_known` and `cost` mean what they mean in `ScorerResult`.
    """

    calls: int
    tokens: Tokens
    cost: float | None
    cost_known: bool


@dataclass(frozen=True, slots=True)
class ScorerResult(Shown):
    """One scorer of a run.

    `tokens` and `cost` are of the replies bought in this run, in US dollars; `cost_known` is False
    where a model has no known price or a reply no token count, and `cost` is None then, and where
    nothing can be charged. `in_all` is the same of every answer that the numbers rest on, those
    of earlier runs included; None where that is not recorded. `statuses` counts why calls have no
    score, `hosts` who ran the model where the vendor says so; `notes` are lines for people.
    `length_counter` is what the longer response as the winner gets on the same tuples, in the
    reading of the headline; None where the texts were not at hand. `folder` is where it was read
    from, None for a run that has just been made.
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
    in_all: Bill | None = None
    hosts: Mapping[str, int] = field(default_factory=dict)
    length_counter: Accuracies | None = None
    folder: Path | None = field(default=None, compare=False, repr=False)

    @property
    def has_scores(self) -> bool:
        """Whether any cell has a score."""
        return self.metrics.unscored_cells < self.metrics.asked_cells

    @property
    def combined(self) -> bool:
        """Whether several scorers gave these numbers; their own results stand beside."""
        shares = self.metrics.shares
        return shares is not None and len(shares.by_scorer) > 1

    @property
    def note(self) -> str:
        """The notes as one line."""
        return "; ".join(self.notes)
