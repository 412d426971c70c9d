"""Ctrl-C: once drains the run, twice leaves at once. A terminal that is gone drains it, too."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final

from rmjudge.errors import Interrupted
from rmjudge.providers.serving.process import kill_all
from rmjudge.running.orchestrator import DRAIN_S, Orchestrator

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
HANGUP: Final = getattr(signal, "SIGHUP", None)
"""The terminal was closed, the connection dropped. Windows has no such signal."""
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

        def stop(name: str, more: str = "") -> None:
            orchestrator.stop(Interrupted(f"interrupted by {name}"))
            # Said last: what cannot be said any more must not keep the run from stopping.
            with suppress(OSError):
                notice(f"{name}: finishing the calls under way (at most {DRAIN_S:.0f} s){more}")

        def on_signal(name: str) -> None:
            nonlocal asked
            if asked:
                _show_cursor()
                kill_all()
                # Nothing is lost: what was committed is on disk, files are replaced whole.
                os._exit(Interrupted.exit_code)
            asked = True
            stop(name, "; once more leaves at once")

        loop = asyncio.get_running_loop()
        # A shell and the system may both tell of one terminal, so a second time means nothing.
        answers = dict.fromkeys(SIGNALS, on_signal) | _on_hangup(stop)
        installed = []
        for number, answer in answers.items():
            try:
                loop.add_signal_handler(number, answer, signal.Signals(number).name)
            except (NotImplementedError, RuntimeError):  # Windows, foreign loops
                continue
            installed.append(number)
        try:
            yield
        finally:
            for number in installed:
                loop.remove_signal_handler(number)

    return handlers


def _on_hangup(stop: Callable[[str], None]) -> dict[signal.Signals, Callable[[str], None]]:
    """Nothing under `nohup`, which has the signal ignored: the run goes on."""
    if HANGUP is None or signal.getsignal(HANGUP) == signal.SIG_IGN:
        return {}
    return {HANGUP: stop}


def _show_cursor() -> None:
    """Give a terminal back the cursor that the progress display hides."""
    terminal = sys.__stderr__  # sys.stderr is the display's own while it is shown
    if terminal is not None and terminal.isatty():
        with suppress(OSError):  # it is gone
            os.write(terminal.fileno(), SHOW_CURSOR)
