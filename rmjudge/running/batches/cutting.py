"""Calls cut into batches: whole tuples, small enough for the vendor and for its queue. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Final

from rmjudge.calls import estimate_tokens
from rmjudge.running.job import Work

MOST_CALLS: Final = 1500
SHARE_OF_QUEUE: Final = 0.8
"""Of a vendor's limit of queued tokens; ours are estimates."""
_LIMIT: Final = re.compile(r"[Ll]imit:?\s*([\d,_]+)\s*enqueued tokens")


def queue_limit(words: str) -> int | None:
    """The limit of queued tokens that a refusal tells, less a margin; None where it tells none."""
    found = _LIMIT.search(words)
    return int(SHARE_OF_QUEUE * int(re.sub(r"[,_]", "", found[1]))) if found else None


def tokens_of(works: Sequence[Work], each: int = 0) -> int:
    """Input tokens of calls, estimated."""
    return sum(estimate_tokens(work.call) + each for work in works)


def next_cut(
    pending: Sequence[Work], *, tokens: int | None = None, sizes: Collection[int] = ()
) -> list[Work]:
    """The first calls that make a batch: whole tuples where they fit, one call at least.

    `tokens` is the room in the vendor's queue, None for no limit. `sizes` are numbers of calls
    that the batch may not have, since the vendor's lists would not tell it from an open one.
    """
    taken: list[Work] = []
    used = 0
    for _, group in groupby(pending, lambda work: work.places[0][0]):
        works = list(group)
        more = tokens_of(works)
        full = len(taken) + len(works) > MOST_CALLS
        if taken and (full or (tokens is not None and used + more > tokens)):
            break
        taken += works[:MOST_CALLS]
        used += more
    while len(taken) > 1 and len(taken) in sizes:
        taken.pop()
    return [] if len(taken) in sizes else taken


def waves(pending: Sequence[Work], limit: int | None) -> Iterator[list[Work]]:
    """All batches, as the dry run tells them."""
    left = list(pending)
    while left:
        cut = next_cut(left, tokens=limit)
        yield cut
        left = left[len(cut) :]
