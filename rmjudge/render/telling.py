"""How far a run is, told in its folder while it goes on, whatever else shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.running.so_far import Telling
from rmjudge.runs.underway import write_underway

if TYPE_CHECKING:
    from rmjudge.running.job import Job
    from rmjudge.session import Watch

FIRST_S: Final = 0.5
EVERY_S: Final = 2.0


def told_in(folder: Path, watch: Watch | None) -> Watch:
    """The watch, and beside it the files in the folder that say how far the run is."""
    so_far = Telling(folder)

    @asynccontextmanager
    async def both(jobs: Sequence[Job]) -> AsyncIterator[None]:
        telling = asyncio.create_task(_tell(folder, jobs, so_far))
        try:
            async with watch(jobs) if watch else nullcontext():
                yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling

    return both


async def _tell(folder: Path, jobs: Sequence[Job], so_far: Telling) -> None:
    """Write the files now and then, and not at all for a run of a moment."""
    await asyncio.sleep(FIRST_S)
    from rmjudge.render.board import Board

    board = Board(jobs)
    while True:
        write_underway(folder, board.progress())
        so_far.tell(jobs)
        await asyncio.sleep(EVERY_S)
