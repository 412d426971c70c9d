"""The process that runs programs in CPython for WebAssembly; started by `wasm.py`.

A question is a program with its limits, the answer its end. This process ends when a program
floods its output: the one that started it starts another.
"""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from wasmtime import (
    Config,
    Engine,
    ExitTrap,
    Linker,
    Module,
    Store,
    Trap,
    WasiConfig,
    WasmtimeError,
)

from rmjudge.workers.lines import reply, serve


def module(engine: Engine, interpreter: Path, folder: Path, digest: str) -> Module:
    """The compiled interpreter: the one kept in a folder of one's own, or compiled now."""
    kept = folder / f"{digest[:16]}-{version('wasmtime')}.cwasm"
    if _own(folder) and _own(kept):
        try:
            return Module.deserialize_file(engine, str(kept))
        except WasmtimeError:  # of another machine, or cut
            pass
    compiled = Module(engine, interpreter.read_bytes())
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if _own(folder):
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
                file.write(compiled.serialize())
            Path(file.name).replace(kept)
    except OSError:  # it is compiled again next time
        pass
    return compiled


def _own(path: Path) -> bool:
    """Whether nobody else can have written this: it is run as machine code."""
    try:
        about = path.stat()
    except OSError:
        return False
    if not hasattr(os, "getuid"):
        return True
    return about.st_uid == os.getuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


class Output:
    """The end of what a program prints; a flood ends this process."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.size = 0
        self.kept: dict[str, bytes] = {"stdout": b"", "stderr": b""}

    def writer(self, name: str) -> Any:
        """A function that takes what the program prints."""

        def write(data: bytes) -> int:
            self.size += len(data)
            if self.size > self.most:
                reply(ended(None, "output-limit"))
                os._exit(0)
            self.kept[name] += data
            return len(data)

        return write

    def text(self, name: str) -> str:
        """What was printed."""
        return self.kept[name].decode(errors="replace")


def run(engine: Engine, python: Module, job: dict[str, Any], folder: str) -> dict[str, Any]:
    """One program: no network, no files, no environment, no processes."""
    store = Store(engine)
    store.set_fuel(job["fuel"])
    store.set_limits(memory_size=job["memory"])
    output = Output(job["output"])
    source = Path(folder, "source")
    source.write_text(job["source"], "utf-8")
    wasi = WasiConfig()
    # From standard input: neither argv nor a file that can be opened has the word of the run.
    wasi.argv = ["python", "-I", "-"]
    wasi.stdin_file = source
    wasi.stdout_custom = output.writer("stdout")
    wasi.stderr_custom = output.writer("stderr")
    store.set_wasi(wasi)
    linker = Linker(engine)
    linker.define_wasi()
    status: int | None = 0
    limit = ""
    try:
        start: Any = linker.instantiate(store, python).exports(store)["_start"]
        start(store)
    except ExitTrap as end:
        status = end.code
    except (Trap, WasmtimeError):
        status = None
        limit = "time-limit" if store.get_fuel() == 0 else ""
    return ended(status, limit, output.text("stdout"), output.text("stderr"))


def ended(status: int | None, limit: str, stdout: str = "", stderr: str = "") -> dict[str, Any]:
    """How a program ended, as an answer."""
    return {"status": status, "limit": limit, "stdout": stdout, "stderr": stderr}


def main() -> None:
    """Run programs until standard input ends."""
    interpreter, folder, digest = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    config = Config()
    config.consume_fuel = True
    engine = Engine(config)
    python = module(engine, interpreter, folder, digest)
    with tempfile.TemporaryDirectory() as place:
        serve(lambda job: run(engine, python, job, place))


if __name__ == "__main__":
    main()
