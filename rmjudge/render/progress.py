"""Progress of a run under way, on standard error: live in a terminal, plain lines elsewhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rmjudge.running.job import Job, LiveCells
from rmjudge.running.pricing import cost_of
from rmjudge.text import clean
from rmjudge.vocabulary import CELLS_OF, DIFFICULTIES, STYLES, in_order

REFRESH_S: Final = 0.5
LINE_S: Final = 10.0
FIRST_LINE_S: Final = 1.0
"""Soon, so that a log shows from the start what is done; late enough to know the cache."""


def watcher(console: Console) -> Callable[[Sequence[Job]], AbstractAsyncContextManager[None]]:
    """Make the `watch` hook of `session.execute`."""

    @asynccontextmanager
    async def watch(jobs: Sequence[Job]) -> AsyncIterator[None]:
        board = Board(jobs)
        show = _live if console.is_terminal else _lines
        task = asyncio.create_task(show(console, board))
        try:
            yield
        finally:
            task.cancel()
            # A display that broke (its terminal is gone) must not cost the run its results.
            with suppress(asyncio.CancelledError, OSError):
                await task

    return watch


async def _live(console: Console, board: Board) -> None:
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(board.renderable(), refresh=True)
            await asyncio.sleep(REFRESH_S)


async def _lines(console: Console, board: Board) -> None:
    shown: list[str] = []
    wait_s = FIRST_LINE_S
    while True:
        await asyncio.sleep(wait_s)
        wait_s = LINE_S
        lines = board.lines()
        if lines != shown:
            for line in lines:
                console.print(Text(line), soft_wrap=True)
        shown = lines


class Board:
    """What is shown of the jobs, computed when it is shown."""

    def __init__(
        self,
        jobs: Sequence[Job],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._begun = clock()

    def lines(self) -> list[str]:
        """One plain line a job."""
        return [
            f"{clean(job.scorer.name)}: {job.counts.done} of {job.counts.planned} calls, "
            + ", ".join(self._figures(job))
            for job in self._jobs
        ]

    def renderable(self) -> RenderableType:
        """Bars and figures of all jobs, then the matrices as they fill."""
        parts: list[RenderableType] = []
        for job in self._jobs:
            counts = job.counts
            bar = Table.grid(padding=(0, 1))
            bar.add_column(no_wrap=True, overflow="ellipsis", max_width=30)
            bar.add_column(width=24)
            bar.add_row(
                Text(clean(job.scorer.name), style="bold"),
                ProgressBar(total=max(counts.planned, 1), completed=counts.done),
                Text(f"{counts.done}/{counts.planned}"),
            )
            parts += [bar, Text("  " + ", ".join(self._figures(job)), style="dim")]
            if job.live:
                parts.append(_fill(job))
        return Group(*parts)

    def _figures(self, job: Job) -> list[str]:
        counts, activity = job.counts, job.scorer.activity
        flow = activity.flow
        in_flight = str(counts.in_flight)
        if flow is not None:  # what waits for its turn is not in flight
            in_flight = f"{flow.in_flight} of {flow.limit}" if flow.limit else "0"
        figures = [f"{counts.from_cache} cached", f"{in_flight} in flight"]
        if activity.retried:
            figures.append(f"{activity.retried} retried")
        if counts.failed:
            figures.append(f"{counts.failed} failed")
        if counts.unscored:
            figures.append(f"{counts.unscored} unscored")
        bought = counts.answered + counts.failed
        elapsed = max(self._clock() - self._begun, 1e-9)
        if bought:
            rate = bought / elapsed
            figures.append(f"{rate:.1f}/s")
            if left := counts.planned - counts.done:
                figures.append(f"{time_left(left / rate)} left")
        cost = cost_of(job.spent, job.price)
        if cost is not None:
            figures.append(f"${cost:.4f}")
        if activity.note and not job.finished:
            figures.append(clean(activity.note))
        return figures


def _fill(job: Job) -> RenderableType:
    """The matrix of each domain so far, in percent of its complete tuples."""
    grid = Table.grid(padding=(0, 2), pad_edge=True)
    domains = in_order(job.live)
    grid.add_row(Text(""), *(Text(f"{domain} ({job.live[domain].tuples})") for domain in domains))
    for row, style in enumerate(STYLES):
        cells = (Text(_row_of(job.live[domain], row)) for domain in domains)
        grid.add_row(Text(style, style="dim"), *cells)
    hard = (Text(_difficulties(job.live[domain]), style="dim") for domain in domains)
    grid.add_row(Text("E/N/H", style="dim"), *hard)
    return grid


def _row_of(cells: LiveCells, row: int) -> str:
    return " ".join(
        f"{100 * value:3.0f}" if (value := _mean(cells, 3 * row + j)) is not None else "  -"
        for j in range(3)
    )


def _difficulties(cells: LiveCells) -> str:
    shown = []
    for difficulty in DIFFICULTIES:
        values = [_mean(cells, 3 * i + j) for i, j in CELLS_OF[difficulty]]
        known = [value for value in values if value is not None]
        shown.append(f"{100 * sum(known) / len(known):3.0f}" if known else "  -")
    return " ".join(shown)


def _mean(cells: LiveCells, cell: int) -> float | None:
    return cells.credit[cell] / cells.scored[cell] if cells.scored[cell] else None


def time_left(seconds: float) -> str:
    """How long it may still take, for people: 42 s, 3 min, 2 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
