"""Python programs in CPython for WebAssembly: the default. Works without root, on every system.

A program there has no network, no files, no environment and no processes; memory, instructions,
time and output are limited. It runs in a process of its own, which is ended when a program does
not end, and started again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rmjudge.errors import UsageError
from rmjudge.sandbox.interpreter import SHA256, compiled_folder, interpreter
from rmjudge.sandbox.programs import Captured
from rmjudge.workers.process import Worker, WorkerGoneError

FUEL: Final = 40_000_000_000
"""Instructions of WebAssembly: some 6 seconds; the same program always gets as far."""
MEMORY: Final = 256 << 20
OUTPUT: Final = 1 << 20
SECONDS: Final = 60.0
"""For a program that sleeps, which takes no instructions."""


class Wasm:
    """One process with the interpreter, started by the first program."""

    def __init__(self, file: Path | None = None, *, seconds: float = SECONDS) -> None:
        """Check the interpreter.

        Raises:
            UsageError: it is missing.
        """
        self.name = "wasm"
        place = (str(interpreter(file)), str(compiled_folder()), SHA256)
        self._worker = Worker("rmjudge.sandbox.wasm_worker", *place)
        self._seconds = seconds

    def run(self, source: str, language: str) -> Captured:
        """Run one Python source text.

        Raises:
            UsageError: it is not Python, or the interpreter does not start.
        """
        if language != "python":
            raise UsageError(f"the sandbox wasm runs Python alone, not {language}")
        try:
            self._worker.start()
        except WorkerGoneError as error:
            raise UsageError(
                f"the sandbox's CPython for WebAssembly does not start: {error}"
            ) from error
        limits = {"fuel": FUEL, "memory": MEMORY, "output": OUTPUT}
        try:
            said = self._worker.ask({"source": source, **limits}, self._seconds)
        except TimeoutError:
            return Captured(None, limit="time-limit")
        except WorkerGoneError:  # the interpreter itself broke
            return Captured(None)
        if said["limit"] == "output-limit":  # the process ended itself
            self.close()
        return Captured(said["status"], said["stdout"], said["stderr"], said["limit"])

    def close(self) -> None:
        """End the process."""
        self._worker.close()
