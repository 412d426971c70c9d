"""A server's process: started in a session of its own, recorded, stopped with all its children.

The record says who started it. A run that crashed, or was killed, leaves a record and perhaps a
server: the next start ends it. Processes are told apart by their number and when they began, so
that a number in use again is never taken for the server.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_cache_dir

STOP_S: Final = 15.0
"""How long a server may take to end by itself, before it is killed."""
STEP_S: Final = 0.1
TAIL: Final = 8192
"""Bytes of a log in which its last line is looked for."""
_RUNNING: Final[set[Server]] = set()


class Server:
    """A process that was started here; `log` is what it writes."""

    def __init__(self, command: Sequence[str], port: int, folder: Path) -> None:
        """Start it.

        Raises:
            OSError: it cannot be started, or the folder cannot be written.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.log = folder / f"{port}.log"
        kept_out = {"VLLM_API_KEY"}  # with it the server would ask for a key
        environment = {name: value for name, value in os.environ.items() if name not in kept_out}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the engine, by its own name
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,  # Ctrl-C is ours to answer, not the server's
            )
        self._record = folder / f"{self._process.pid}.json"
        _RUNNING.add(self)
        about = {"server": _about(self._process.pid), "owner": _about(os.getpid())}
        self._record.write_text(json.dumps(about), "utf-8")

    @property
    def root(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll()

    def last_line(self) -> str:
        """What it wrote last; empty for nothing."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - TAIL))
            lines = log.read().decode("utf-8", "replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def stop(self) -> None:
        """End it and its children: politely, then by force."""
        _signal(self._process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        self.kill()

    def kill(self) -> None:
        """End it at once; children that outlived it, too."""
        _signal(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._record.unlink(missing_ok=True)
        _RUNNING.discard(self)


@atexit.register
def kill_all() -> None:
    """End every server of this process at once: it is about to leave."""
    for server in tuple(_RUNNING):
        server.kill()


def server_folder() -> Path:
    """Where records and logs lie."""
    return Path(user_cache_dir("rmjudge")) / "servers"


def free_port() -> int:
    """A port of the loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def end_orphans(folder: Path) -> int:
    """End the servers whose owner is gone; return how many there were."""
    ended = 0
    for record in folder.glob("*.json"):
        try:
            about = json.loads(record.read_text("utf-8"))
            server, owner = (
                (int(about[who]["pid"]), str(about[who]["began"])) for who in ("server", "owner")
            )
        except (OSError, ValueError, TypeError, LookupError):
            continue  # another start is writing it, or it is none of ours
        if _alive(*owner):
            continue
        if _alive(*server):
            ended += 1
            _end(*server)
        record.unlink(missing_ok=True)
    return ended


def _end(pid: int, began: str) -> None:
    _signal(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_S
    while _alive(pid, began) and time.monotonic() < deadline:
        time.sleep(STEP_S)
    _signal(pid, signal.SIGKILL)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _about(pid: int) -> dict[str, int | str]:
    return {"pid": pid, "began": _began(pid)}


def _alive(pid: int, began: str) -> bool:
    return bool(began) and _began(pid) == began


def _began(pid: int) -> str:
    """When a process began, in a form of the system's own; empty where there is none."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            # Behind the name, which may hold blanks and brackets: state, ..., start (22nd of all).
            fields = stat.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    found = subprocess.run(  # noqa: S603 - a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
