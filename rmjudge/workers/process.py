"""The side that asks: a process that has a deadline for each answer, and is started again."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from typing import IO, Any, Final

START_SECONDS: Final = 600.0
"""Until the first line: what a process does once, such as compiling, may take long."""


class WorkerGoneError(Exception):
    """The process ended without an answer; the text is the last line that it said."""


class Worker:
    """A module of ours in a process of its own, started by the first question.

    The module calls `rmjudge.workers.lines.serve`. A process that ends, or does not answer in
    time, is replaced at the next question.
    """

    def __init__(self, module: str, *words: str) -> None:
        """Name the module, and the words of its command line."""
        self._command = (sys.executable, "-I", "-m", module, *words)
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs, and wait until it is ready.

        Raises:
            WorkerGoneError: it does not start.
        """
        if self._process is not None:
            return
        # A file, since nobody reads its errors while it works; a session of its own, since
        # Ctrl-C is for this process, which may still want an answer.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115, closed with the process
        self._process = subprocess.Popen(  # noqa: S603, our own module
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            encoding="utf-8",
            start_new_session=True,
        )
        try:
            self._exchange("", START_SECONDS)
        except TimeoutError as error:
            raise WorkerGoneError("it is not ready in time") from error

    def ask(self, question: Any, seconds: float) -> Any:
        """The answer to a question, both JSON.

        Raises:
            TimeoutError: there was none in time. WorkerGoneError: the process ended.
        """
        self.start()
        return self._exchange(json.dumps([seconds, question]) + "\n", seconds)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):  # of a question that it did not read
                        pipe.close()
        if self._errors is not None:
            self._errors.close()

    def _last_words(self) -> str:
        assert self._errors is not None  # noqa: S101, it was started
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]

    def _exchange(self, line: str, seconds: float) -> Any:
        process, late = self._process, threading.Event()
        assert process is not None  # noqa: S101, it was started
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018, pipes

        def end() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            process.stdin.write(line)
            process.stdin.flush()
            return json.loads(process.stdout.readline())
        except (OSError, ValueError) as error:  # it ended, or was ended while it wrote
            process.kill()
            process.wait()
            last = self._last_words()
            self.close()
            if late.is_set():
                raise TimeoutError from error
            raise WorkerGoneError(last or "it says nothing") from error
        finally:
            timer.cancel()
            timer.join()
            if late.is_set():  # maybe just after the answer
                self.close()
