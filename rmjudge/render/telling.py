"""How far a run is, told in its folder while it goes on, whatever else shows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rmjudge.runs.underway import write_underway

if TYPE_CHECKING:
    from rmjudge.running.job import Job
    from rmjudge.session import Watch

FIRST_S: Final = 0.5
EVERY_S: Final = 2.0


def told_in(folder: Path, watch: Watch | None) -> Watch:
    """The watch, and beside it the file in the folder that says how far the run is."""

    @asynccontextmanager
    async def both(jobs: Sequence[Job]) -> AsyncIterator[None]:
        telling = asyncio.create_task(_tell(folder, jobs))
        try:
            async with watch(jobs) if watch else nullcontext():
                yield
        finally:
            telling.cancel()
            with suppress(asyncio.CancelledError):
                await telling

    return both


async def _tell(folder: Path, jobs: Sequence[Job]) -> None:
    """Write the file now and then, and not at all for a run of a moment."""
    await asyncio.sleep(FIRST_S)
    from rmjudge.render.board import Board

    board = Board(jobs)
    while True:
        write_underway(folder, board.progress())
        await asyncio.sleep(EVERY_S)
