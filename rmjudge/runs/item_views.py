"""One item of preference sets, gathered from runs: its texts, what scorers made of it, and said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from rmjudge.errors import NotInRunsError, StorageStopped, UsageError
from rmjudge.runs.naming import labels
from rmjudge.text import one_line

if TYPE_CHECKING:
    from rmjudge.benchmarks.items import Item
    from rmjudge.calls import Answer, Reply
    from rmjudge.metrics.outcomes import ItemOutcome
    from rmjudge.planning.items import ItemPlan
    from rmjudge.runs.stored_items import StoredItems

NAMED: Final = 3
"""Items that a message names."""


@dataclass(frozen=True, slots=True)
class ItemStatement:
    """A stored reply. `shown` are the places of the responses that it is about, as shown."""

    shown: tuple[int, ...]
    vote: int
    text: str
    answer: Answer
    model: str | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """What one scorer made of an item; `score` is None where it has none."""

    scorer: str
    outcome: ItemOutcome
    score: float | None
    statements: tuple[ItemStatement, ...] = ()


@dataclass(frozen=True, slots=True)
class ViewedItem:
    """An item of a benchmark; `item` holds its texts where they were found."""

    benchmark: str
    title: str
    item: Item | None
    views: tuple[ItemView, ...]


def items_named(name: str, runs: Sequence[StoredItems]) -> frozenset[str]:
    """The full names of the items called so: by `SUBSET/ID`, or by an id that is unique.

    Raises:
        UsageError: items of several subsets have this id.
        NotInRunsError: the runs have none; the message names those that are like it.
    """
    known = {one.name: str(one.id) for run in runs for one in run.result.outcomes}
    found = [full for full, id in known.items() if name == full] or [
        full for full, id in known.items() if name == id
    ]
    if len(found) > 1:
        listed = ", ".join(map(one_line, found))
        raise UsageError(f"{one_line(name)} is the id of several items; name one: {listed}")
    if not found:
        near = get_close_matches(name, known, n=NAMED) or list(known)[:NAMED]
        raise NotInRunsError(
            f"no item of these runs is called {one_line(name)}; there are {len(known):,}, such as "
            f"{', '.join(map(one_line, near))}"
        )
    return frozenset(found)


def view_items(
    runs: Sequence[StoredItems], only: frozenset[str], *, replies: bool
) -> tuple[list[ViewedItem], list[str]]:
    """Gather the items of these names, each set's apart; and what could not be found.

    With `replies` what the scorers' judges said is looked up, too.
    """
    notes: list[str] = []
    found: dict[tuple[str, object], tuple[str, Item | None, list[ItemView]]] = {}
    for label, run in _labelled(runs):
        texts: Mapping[str, Item] = {}
        try:
            texts = {item.name: item for item in run.items}
        except UsageError as error:
            notes.append(f"{label}: {error}")
        for outcome, score in zip(run.result.outcomes, run.result.scores, strict=True):
            if outcome.name not in only:
                continue
            item = texts.get(outcome.name)
            said: tuple[ItemStatement, ...] = ()
            if replies and item is not None:
                try:
                    said = statements_about(run, item)
                except (UsageError, StorageStopped) as error:
                    notes.append(f"{label}: no words: {error}; --cache-dir DIR says where they are")
            metrics = run.result.metrics
            key = (metrics.benchmark, item or run.result.digest)
            _, _, views = found.setdefault(key, (metrics.title, item, []))
            views.append(ItemView(label, outcome, score, said))
    return [
        ViewedItem(benchmark, title, item, tuple(views))
        for (benchmark, _), (title, item, views) in found.items()
    ], notes


def _labelled(runs: Sequence[StoredItems]) -> Iterator[tuple[str, StoredItems]]:
    """Each run with its scorer's name, no two alike in a set."""
    for name in dict.fromkeys(run.result.metrics.benchmark for run in runs):
        own = [run for run in runs if run.result.metrics.benchmark == name]
        yield from zip(labels([run.result for run in own]), own, strict=True)


def statements_about(run: StoredItems, item: Item) -> tuple[ItemStatement, ...]:
    """What a run's judge replied about an item; nothing of scorers that keep no words.

    Raises:
        UsageError, StorageStopped: the answers are not there.
    """
    from rmjudge.cache import inspect
    from rmjudge.providers.words import words_of
    from rmjudge.runs.stored import call_keys

    record, folder = run.record, run.cache_folder
    if record.identity is None or folder is None:
        return ()
    (plan,) = run.plan([item])
    keys = call_keys(plan)
    replies = inspect.replies(inspect.require(folder), record.identity, keys)
    found = []
    for shown, call in places_of(plan):
        reply: Reply | None = replies.get(keys[call])
        text = words_of(record.identity, reply.raw) if reply else ""
        if reply and text:
            vote = plan.calls[call].vote
            found.append(ItemStatement(shown, vote, text, reply.answer, reply.model))
    return tuple(found)


def places_of(plan: ItemPlan) -> Iterator[tuple[tuple[int, ...], int]]:
    """What each call of a plan is about: places of responses, in the order that they are shown."""
    for place, calls in enumerate(plan.rewarded):
        for call in calls:
            yield (place,), call
    for pair, questions in zip(plan.item.pairs, plan.asked, strict=bool(plan.asked)):
        for question in questions:
            for call in question.calls:
                both = (pair.better, pair.worse)
                yield both if question.chosen_first else both[::-1], call
    if plan.shown is not None:
        for call in range(len(plan.calls)):
            yield tuple(places[0] for places in plan.shown), call
