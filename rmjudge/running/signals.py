"""Ctrl-C: once drains the run, twice leaves at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

from rmjudge.errors import Interrupted
from rmjudge.providers.serving.process import kill_all
from rmjudge.running.orchestrator import DRAIN_S, Orchestrator

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
SHOW_CURSOR: Final = b"\x1b[?25h\n"


def draining(
    notice: Callable[[str], None],
) -> Callable[[Orchestrator], AbstractAsyncContextManager[None]]:
    """Make the `started` hook of `session.execute` for a process that is ours to interrupt."""

    @asynccontextmanager
    async def handlers(orchestrator: Orchestrator) -> AsyncIterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        asked = False

        def on_signal(name: str) -> None:
            nonlocal asked
            if asked:
                _show_cursor()
                kill_all()
                # Nothing is lost: what was committed is on disk, files are replaced whole.
                os._exit(Interrupted.exit_code)
            asked = True
            notice(
                f"{name}: finishing the calls under way (at most {DRAIN_S:.0f} s); "
                "once more leaves at once"
            )
            orchestrator.stop(Interrupted(f"interrupted by {name}"))

        loop = asyncio.get_running_loop()
        installed = []
        for number in SIGNALS:
            try:
                loop.add_signal_handler(number, on_signal, signal.Signals(number).name)
            except (NotImplementedError, RuntimeError):  # Windows, foreign loops
                continue
            installed.append(number)
        try:
            yield
        finally:
            for number in installed:
                loop.remove_signal_handler(number)

    return handlers


def _show_cursor() -> None:
    """Give a terminal back the cursor that the progress display hides."""
    terminal = sys.__stderr__  # sys.stderr is the display's own while it is shown
    if terminal is not None and terminal.isatty():
        os.write(terminal.fileno(), SHOW_CURSOR)
