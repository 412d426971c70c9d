"""A process that has imported all of rmjudge, and becomes a command as often as it is asked.

Importing takes most of the time of a short command, and the tests run some thousands of them. Each
is still a process of its own, with its own folder, variables and output: a fork of this one.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import IO

import rmjudge

APART = ("rmjudge.__main__", "rmjudge.providers.local", "rmjudge.grading", "rmjudge.sandbox")
"""Not imported beforehand: what is a program itself, and what brings torch or sympy along."""


@cache
def _ready() -> socket.socket:
    """Start the process, once for each process of tests; it ends with it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, "-P", __file__, str(its.fileno())],
            pass_fds=[its.fileno()],
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
        )
    atexit.register(process.wait)
    atexit.register(ours.close)
    return ours


def run(words: Sequence[str], folder: Path, variables: dict[str, str]) -> tuple[int, str, str]:
    """Run a command in a folder, with these variables and no others, to its end.

    The exit code, as `subprocess` has it, the output and the errors.
    """
    ours, its = socket.socketpair()
    with ours, its, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        job = json.dumps([words, str(folder), variables]).encode()
        files = [out.fileno(), err.fileno(), its.fileno()]
        socket.send_fds(_ready(), [job], files)
        its.close()
        code = int(ours.recv(64))
        return code, _text_of(out), _text_of(err)


def _text_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode().replace("\r\n", "\n").replace("\r", "\n")  # as subprocess does


def _serve(calls: socket.socket) -> None:
    """Wait for commands, and return in each process that is to be one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        job, files, *_ = socket.recv_fds(calls, 1 << 20, 3)
        if not job:
            os._exit(0)
        if os.fork():
            for file in files:
                os.close(file)
            continue
        # This process waits for the command, and says how it ended.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        child = os.fork()
        if not child:
            calls.close()
            return _become(*json.loads(job), *files)
        _, status = os.waitpid(child, 0)
        os.write(files[2], str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)


def _become(words: list[str], folder: str, variables: dict[str, str], *files: int) -> None:
    """Make of this process what it would be, had it been started anew."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    out, err, told = files
    os.dup2(out, 1)
    os.dup2(err, 2)
    for file in (out, err, told):
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = words
    sys.path.insert(0, str(Path(words[0]).parent))
    sys.modules["__main__"] = types.ModuleType("__main__")


if __name__ == "__main__":
    for found in pkgutil.walk_packages(rmjudge.__path__, "rmjudge."):
        if not found.name.startswith(APART):
            importlib.import_module(found.name)
    main = importlib.import_module("rmjudge.cli").main
    gc.freeze()  # what is imported is shared, and a command's end need not walk through it
    _serve(socket.socket(fileno=int(sys.argv[1])))
    try:
        code = main()
    finally:
        gc.freeze()
    sys.exit(code)
