"""The queue that a job's workers pull from: it ends when nothing is left that could add work."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class WorkQueue(Generic[T]):
    """First in, first out; follow-ups go to the front, so that started tuples finish first.

    Neighbours with the same `group` are handed out together.
    """

    def __init__(self, items: Iterable[T], group: Callable[[T], Hashable] | None = None) -> None:
        self._items = deque(items)
        self._group = group
        self._under_way = 0
        self._closed = False
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def closed(self) -> bool:
        """Whether nothing more is handed out."""
        return self._closed

    async def take(self, most: int) -> list[T]:
        """Return up to `most` items; an empty list when there will be no more.

        A group larger than `most` is returned whole.
        """
        while not self._items and self._under_way and not self._closed:
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                self._wake(1)  # in this one's place
                raise
        if self._closed:
            return []
        taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
        if self._group is not None and taken and self._items:
            self._keep_together(taken, self._group)
        self._under_way += len(taken)
        return taken

    def _keep_together(self, taken: list[T], group: Callable[[T], Hashable]) -> None:
        """Move the cut between the taken items and the rest to where a group ends."""
        last = group(taken[-1])
        if group(self._items[0]) != last:
            return
        if group(taken[0]) == last:
            while self._items and group(self._items[0]) == last:
                taken.append(self._items.popleft())
        else:
            while group(taken[-1]) == last:
                self._items.appendleft(taken.pop())

    def done(self, count: int, follow_ups: Iterable[T] = ()) -> None:
        """Say that taken items are finished, and what is to be done now because of them."""
        self._under_way -= count
        fresh = list(follow_ups)
        self._items.extendleft(reversed(fresh))
        self._wake(len(fresh) if self._under_way else len(self._waiting))

    @property
    def has_others(self) -> bool:
        """Whether anything is left or under way besides the one item that asks."""
        return bool(self._items) or self._under_way > 1

    def put_back(self, item: T) -> None:
        """Hand a taken item out again, after all others."""
        self._items.append(item)
        self._wake(1)

    def close(self) -> None:
        """Hand out nothing more."""
        self._closed = True
        self._wake(len(self._waiting))

    def _wake(self, most: int) -> None:
        # Not all of them: a thousand that wait for one item would each look and wait again.
        while most and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                most -= 1
