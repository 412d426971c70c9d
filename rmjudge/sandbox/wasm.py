"""Python programs in CPython for WebAssembly: the default. Works without root, on every system.

A program there has no network, no files, no environment and no processes; memory, instructions,
time and output are limited. It runs in a process of its own, which is ended when a program does
not end, and started again.
"""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

from rmjudge.errors import UsageError
from rmjudge.sandbox.interpreter import SHA256, compiled_folder, interpreter
from rmjudge.sandbox.programs import Captured

FUEL: Final = 40_000_000_000
"""Instructions of WebAssembly: some 6 seconds; the same program always gets as far."""
MEMORY: Final = 256 << 20
OUTPUT: Final = 1 << 20
SECONDS: Final = 60.0
"""For a program that sleeps, which takes no instructions."""
_START_SECONDS: Final = 600.0
"""Compiling the interpreter takes 2 to 25 seconds, once."""


class Wasm:
    """One process with the interpreter, started by the first program."""

    def __init__(self, file: Path | None = None, *, seconds: float = SECONDS) -> None:
        """Check the interpreter.

        Raises:
            UsageError: it is missing.
        """
        self.name = "wasm"
        self._interpreter = interpreter(file)
        self._process: subprocess.Popen[str] | None = None
        self._said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._seconds = seconds
        self._jobs = 0

    def run(self, source: str, language: str) -> Captured:
        """Run one Python source text.

        Raises:
            UsageError: it is not Python, or the interpreter does not start.
        """
        if language != "python":
            raise UsageError(f"the sandbox wasm runs Python alone, not {language}")
        process = self._started()
        self._jobs += 1
        job = {"job": self._jobs, "source": source, "fuel": FUEL, "memory": MEMORY}
        try:
            assert process.stdin is not None  # noqa: S101, it is a pipe
            process.stdin.write(json.dumps({**job, "output": OUTPUT}) + "\n")
            process.stdin.flush()
        except OSError as error:
            self.close()
            raise UsageError(f"the sandbox's process is gone: {error}") from error
        said = self._heard(self._seconds)
        if said is None:
            self.close()
            return Captured(None, limit="time-limit")
        if said.get("limit") == "output-limit":
            self.close()
            return Captured(None, limit="output-limit")
        if said.get("gone"):  # the interpreter itself broke
            self.close()
            return Captured(None)
        return Captured(said["status"], said["stdout"], said["stderr"], said["limit"])

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()

    def _started(self) -> subprocess.Popen[str]:
        if self._process is not None:
            return self._process
        self._said = queue.Queue()
        place = (str(self._interpreter), str(compiled_folder()), SHA256)
        self._process = process = subprocess.Popen(  # noqa: S603, our own module
            [sys.executable, "-I", "-m", "rmjudge.sandbox.wasm_worker", *place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        threading.Thread(target=_hear, args=(process, self._said), daemon=True).start()
        if (self._heard(_START_SECONDS) or {"gone": True}).get("gone"):
            process.kill()
            told = process.stderr.read().strip() if process.stderr is not None else ""
            self.close()
            raise UsageError(
                "the sandbox's CPython for WebAssembly does not start: "
                f"{told.rpartition(chr(10))[2] or 'it says nothing'}"
            )
        return process

    def _heard(self, seconds: float) -> dict[str, Any] | None:
        try:
            return self._said.get(timeout=seconds)
        except queue.Empty:
            return None


def _hear(process: subprocess.Popen[str], said: queue.Queue[dict[str, Any] | None]) -> None:
    """Pass on what the process says, and that it ended."""
    assert process.stdout is not None  # noqa: S101, it is a pipe
    try:
        for line in process.stdout:
            said.put(json.loads(line))
    except ValueError:  # closed, or cut
        pass
    said.put({"gone": True})
