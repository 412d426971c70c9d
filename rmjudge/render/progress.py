"""Progress of a run under way, on standard error: live in a terminal, dated lines elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rmjudge.render.board import Board
from rmjudge.render.notebook import board_html
from rmjudge.running.job import Job

REFRESH_S: Final = 0.5
LINE_S: Final = 10.0
FIRST_LINE_S: Final = 1.0
"""Soon, so that a log shows from the start what is done; late enough to know the cache."""


def watcher(
    console: Console | None,
    log: Callable[[str], object] | None = None,
    replace: Callable[[str], object] | None = None,
) -> Callable[[Sequence[Job]], AbstractAsyncContextManager[None]]:
    """Make the `watch` hook of `session.execute`: shown on a console, logged a line at a time.

    `replace` puts HTML in the place of what it was given before, as a notebook can.
    """

    @asynccontextmanager
    async def watch(jobs: Sequence[Job]) -> AsyncIterator[None]:
        board = Board(jobs)
        shows = [] if console is None else [_shown(console, board)]
        if log is not None:
            shows.append(_lines(log, board))
        if replace is not None:
            shows.append(_replacing(replace, board))
        tasks = [asyncio.create_task(show) for show in shows]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                # A display that broke (its terminal is gone) must not cost the run its results.
                with suppress(asyncio.CancelledError, OSError):
                    await task
            if replace is not None:
                replace(board_html(board))

    return watch


async def _shown(console: Console, board: Board) -> None:
    if console.is_terminal and not console.is_dumb_terminal:
        await _live(console, board)
    else:
        await _lines(lambda line: console.print(Text(f"{dated()} {line}"), soft_wrap=True), board)


async def _live(console: Console, board: Board) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(board.renderable(), refresh=True)
            await asyncio.sleep(REFRESH_S)


async def _replacing(replace: Callable[[str], object], board: Board) -> None:
    while True:
        replace(board_html(board))
        await asyncio.sleep(REFRESH_S)


async def _lines(tell: Callable[[str], object], board: Board) -> None:
    """A line for each scorer at work, now and then, and one for each that is done."""
    told: set[Job] = set()
    wait_s = FIRST_LINE_S
    while True:
        await _looking(board, wait_s)
        wait_s = LINE_S
        for line in board.lines(told):
            tell(line)


async def _looking(board: Board, seconds: float) -> None:
    """Wait, and take the time of each scorer meanwhile."""
    until = asyncio.get_running_loop().time() + seconds
    while (left := until - asyncio.get_running_loop().time()) > 0:
        await asyncio.sleep(min(left, REFRESH_S))
        board.look()


def dated() -> str:
    """Now, by the clock of this machine."""
    return time.strftime("%Y-%m-%d %H:%M:%S")
