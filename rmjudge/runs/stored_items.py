"""A finished run on another set than RM-Bench, found again: its items, and what it asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rmjudge.errors import UsageError
from rmjudge.runs.items import ItemResult, read_items, rules_of, scored_items
from rmjudge.runs.records import RunRecord, read_record

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor
    from rmjudge.benchmarks.items import Item
    from rmjudge.planning.items import ItemPlan
    from rmjudge.vocabulary import Method


class StoredItems:
    """A scorer's finished run on one set. Each part is read, and checked, when it is asked for.

    `data` and `cache_folder` say where texts and answers are now, if they have moved.
    """

    def __init__(
        self, folder: Path, data: Sequence[str] = (), cache_folder: Path | None = None
    ) -> None:
        self.folder = folder
        self._data = data
        self._moved = cache_folder

    @cached_property
    def result(self) -> ItemResult:
        """What it found.

        Raises:
            UsageError: a file is damaged.
        """
        return read_items(self.folder)

    @cached_property
    def record(self) -> RunRecord:
        """How it was made.

        Raises:
            UsageError: the file is damaged.
        """
        return read_record(self.folder)

    @property
    def cache_folder(self) -> Path | None:
        """Where its answers are; None where that is not known."""
        return self._moved or self.record.cache_folder

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """What it scored, in the order of its results.

        Raises:
            UsageError: the texts cannot be found, or are not what the run scored.
        """
        found = {item.name: item for item in scored_items(self.result, self._data)}
        return tuple(found[outcome.name] for outcome in self.result.outcomes)

    @cached_property
    def rules(self) -> Descriptor:
        """The descriptor that it was measured by.

        Raises:
            UsageError: it is gone, or counts otherwise now.
        """
        from rmjudge.metrics.items import measure

        metrics, rules = self.result.metrics, rules_of(self.result)
        orders = (
            None,
            "shuffled",
            rules.order,
            *(["both-mean"] if rules.order == "seeded" else []),
        )
        now = measure(metrics.scorer, metrics.method, metrics.order, self.result.outcomes, rules)
        counted = (now.kind, now.reading, now.average, now.headline)
        if metrics.order not in orders or counted != (
            *(metrics.kind, metrics.reading, metrics.average, metrics.headline),
        ):
            raise UsageError(
                f"{self.folder}: what describes {metrics.benchmark} has changed since the run, and "
                "would count otherwise; run it again, which buys nothing that is kept"
            )
        return rules

    def plan(self, items: Iterable[Item]) -> list[ItemPlan]:
        """Plan again what it asked about some of its items."""
        from rmjudge.planning.items import plan_items

        metrics, record = self.result.metrics, self.record
        is_judge = "judging" in (record.identity or {})
        return plan_items(
            items,
            self.rules,
            cast("Method", metrics.method),
            both=metrics.order == "both-mean",
            seed=record.seed or 0,
            votes=record.votes,
            in_turns=not is_judge and not metrics.scorer.startswith("baseline/"),
        )
