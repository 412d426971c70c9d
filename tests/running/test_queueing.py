"""The queue of a job's workers: nothing is lost, nobody waits for ever."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Generator

import pytest

from rmjudge.running.queueing import WorkQueue


async def ended(task: asyncio.Task[list[str]]) -> bool:
    """Whether a task ends by itself when everything else has had its turn."""
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()


async def test_items_come_out_in_the_order_they_went_in() -> None:
    queue = WorkQueue(["a", "b", "c"])
    assert [await queue.take(1) for _ in range(3)] == [["a"], ["b"], ["c"]]


@pytest.mark.parametrize(
    ("most", "taken"), [(1, ["a"]), (2, ["a", "b"]), (3, ["a", "b", "c"]), (9, ["a", "b", "c"])]
)
async def test_no_more_is_taken_than_asked_for(most: int, taken: list[str]) -> None:
    assert await WorkQueue(["a", "b", "c"]).take(most) == taken


async def test_an_empty_queue_ends_at_once() -> None:
    assert await WorkQueue[str]([]).take(1) == []


async def test_a_queue_ends_when_everything_taken_is_done() -> None:
    queue = WorkQueue(["a"])
    await queue.take(1)
    queue.done(1)
    assert await queue.take(1) == []


async def test_a_worker_waits_while_others_may_still_add_work() -> None:
    queue = WorkQueue(["a"])
    await queue.take(1)
    waiting = asyncio.create_task(queue.take(1))
    assert not await ended(waiting)
    queue.done(1, ["follow-up"])
    assert await waiting == ["follow-up"]


async def test_every_waiting_worker_ends_when_nothing_is_left() -> None:
    queue = WorkQueue(["a"])
    await queue.take(1)
    waiting = [asyncio.create_task(queue.take(1)) for _ in range(3)]
    await asyncio.sleep(0)
    queue.done(1)
    assert await asyncio.gather(*waiting) == [[], [], []]


async def test_one_follow_up_goes_to_one_and_the_others_go_on_waiting() -> None:
    queue = WorkQueue(["a", "b"])
    await queue.take(2)
    waiting = [asyncio.create_task(queue.take(1)) for _ in range(2)]
    await asyncio.sleep(0)
    queue.done(1, ["follow-up"])
    assert [await ended(task) for task in waiting] == [True, False]
    queue.done(2)
    assert await asyncio.gather(*waiting) == [["follow-up"], []]


async def test_one_follow_up_wakes_one_of_a_thousand() -> None:
    queue = WorkQueue(["a", "b"])
    await queue.take(2)
    looks: list[object] = []

    @types.coroutine
    def wait() -> Generator[object, None, None]:
        for turn in queue.take(1).__await__():
            looks.append(turn)
            yield turn

    async def work() -> None:
        await wait()

    waiting = [asyncio.create_task(work()) for _ in range(1000)]
    await asyncio.sleep(0)
    queue.done(1, ["follow-up"])
    for _ in range(5):
        await asyncio.sleep(0)
    assert (len(looks), sum(task.done() for task in waiting)) == (1000, 1)
    queue.done(2)
    await asyncio.gather(*waiting)


async def test_a_worker_that_is_cancelled_when_its_turn_has_come_leaves_it_to_the_next() -> None:
    queue = WorkQueue(["a", "b"])
    await queue.take(2)
    first, second = (asyncio.create_task(queue.take(1)) for _ in range(2))
    await asyncio.sleep(0)
    queue.done(1, ["follow-up"])
    first.cancel()
    assert await second == ["follow-up"]


async def test_follow_ups_go_to_the_front_in_their_order() -> None:
    queue = WorkQueue(["a", "b"])
    await queue.take(1)
    queue.done(1, ["one", "two"])
    assert await queue.take(9) == ["one", "two", "b"]


async def test_a_batch_is_under_way_until_all_of_it_is_done() -> None:
    queue = WorkQueue(["a", "b"])
    await queue.take(2)
    waiting = asyncio.create_task(queue.take(1))
    queue.done(1)
    assert not await ended(waiting)
    queue.done(1)
    assert await waiting == []


async def test_a_closed_queue_hands_out_nothing() -> None:
    queue = WorkQueue(["a", "b"])
    queue.close()
    assert await queue.take(1) == []


async def test_closing_wakes_whoever_waits() -> None:
    queue = WorkQueue(["a"])
    await queue.take(1)
    waiting = asyncio.create_task(queue.take(1))
    assert not await ended(waiting)
    queue.close()
    assert await waiting == []


async def test_follow_ups_of_a_closed_queue_are_not_handed_out() -> None:
    queue = WorkQueue(["a"])
    await queue.take(1)
    queue.close()
    queue.done(1, ["follow-up"])
    assert await queue.take(1) == []


async def test_a_worker_that_was_cancelled_while_it_waited_holds_up_nobody() -> None:
    queue = WorkQueue(["a"])
    await queue.take(1)
    cancelled, waiting = (asyncio.create_task(queue.take(1)) for _ in range(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.sleep(0)
    queue.done(1, ["follow-up"])
    assert await waiting == ["follow-up"]


@pytest.mark.parametrize("workers", [1, 3, 50])
@pytest.mark.parametrize("most", [1, 4])
async def test_every_item_and_every_follow_up_is_handed_out_once(workers: int, most: int) -> None:
    queue = WorkQueue([str(number) for number in range(40)])
    seen: list[str] = []

    async def work() -> None:
        while items := await queue.take(most):
            await asyncio.sleep(0)
            seen.extend(items)
            queue.done(len(items), [f"{item}+" for item in items if not item.endswith("++")])

    async with asyncio.timeout(60):  # a queue that loses count would wait for ever
        await asyncio.gather(*(work() for _ in range(workers)))
    assert sorted(seen) == sorted(f"{n}{plus}" for n in range(40) for plus in ("", "+", "++"))


@pytest.mark.parametrize(
    ("most", "batches"),
    [
        (1, ["aa", "bbb", "c"]),  # a group larger than a batch comes whole
        (3, ["aa", "bbb", "c"]),  # the cut moves back to where a group ends
        (4, ["aa", "bbbc"]),
        (5, ["aabbb", "c"]),
        (9, ["aabbbc"]),
    ],
)
async def test_groups_are_handed_out_whole(most: int, batches: list[str]) -> None:
    queue = WorkQueue("aabbbc", group=str)
    taken = []
    while items := await queue.take(most):
        taken.append("".join(items))
        queue.done(len(items))
    assert taken == batches
