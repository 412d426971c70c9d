"""The one connection of this process to Ray, shared by its scorers.

Ray itself says where the cluster is: `RAY_ADDRESS`, or one that runs on this machine; where there
is none, one is started here and ends with the last scorer.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from socket import create_connection
from threading import Event, Lock, Thread
from typing import Final

from rmjudge.errors import UsageError

PATIENCE_S: Final = 10.0
"""How long a cluster's address may take to answer."""
_QUIET: Final = logging.CRITICAL + 1


@dataclass(frozen=True, slots=True)
class Fleet:
    """How many actors, and the cores and GPUs of each."""

    actors: int
    cpus: int
    gpus: int

    def __str__(self) -> str:
        """For the display."""
        kind = "GPU" if self.gpus else "CPU"
        return f"{self.actors:,} {kind} actor{'s' if self.actors != 1 else ''} of Ray"


def fleet_of(nodes: list[Mapping[str, float]], device: str) -> Fleet:
    """One actor a GPU; without GPUs one a node, with the cores that the smallest node has.

    `nodes` are what Ray counts as each node's resources. One actor at least is asked for: a
    cluster that grows on demand begins with none.
    """
    if device == "cuda":
        return Fleet(max(1, sum(int(node.get("GPU", 0)) for node in nodes)), 1, 1)
    cores = [int(node["CPU"]) for node in nodes if node.get("CPU", 0) >= 1]
    each = min(cores, default=1)
    return Fleet(max(1, sum(count // each for count in cores)), each, 0)


class Connection:
    """Joined by every scorer that uses Ray; the last that leaves ends what was begun here."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._users = 0
        self._session: _Session | None = None

    def join(self) -> None:
        """Connect, or start a cluster of this machine.

        Raises:
            UsageError: there is no cluster where Ray is told that there is one.
        """
        with self._lock:
            if not self._users and not _is_initialized():
                self._session = _Session()
            self._users += 1

    def leave(self) -> None:
        """Disconnect, where nobody else is connected."""
        with self._lock:
            self._users -= 1
            if not self._users and self._session is not None:
                self._session.end()
                self._session = None

    def gpus(self) -> int:
        """The GPUs of all nodes."""
        return sum(int(node.get("GPU", 0)) for node in _nodes())

    def fleet(self, device: str) -> Fleet:
        """The actors for all nodes that there are now."""
        return fleet_of(_nodes(), device)


class _Session(Thread):
    """Ray from `init` to `shutdown`, in one thread.

    The processes of a cluster that is started here end with the thread that started them; and in
    the main thread Ray would put a handler of its own for SIGTERM.
    """

    def __init__(self) -> None:
        super().__init__(name="ray", daemon=True)
        _check_address(os.environ.get("RAY_ADDRESS", ""))
        self._begun, self._ending = Event(), Event()
        self._fault: Exception | None = None
        self.start()
        self._begun.wait()
        if self._fault is not None:
            told = " ".join(str(self._fault).split())[:300]
            raise UsageError(f"--engine ray: Ray does not start: {told}") from self._fault

    def end(self) -> None:
        """Disconnect; wait until it is done."""
        self._ending.set()
        self.join()

    def run(self) -> None:
        """Connect, wait, disconnect."""
        import ray

        try:
            ray.init(log_to_driver=False, include_dashboard=False, logging_level=_QUIET)
        except Exception as error:  # noqa: BLE001 - of sockets, of grpc, of Ray's own: told as one
            self._fault = error
            return
        finally:
            self._begun.set()
        self._ending.wait()
        ray.shutdown()


def _check_address(address: str) -> None:
    """Look whether somebody listens: Ray itself would wait for minutes, then end the process.

    Raises:
        UsageError: nobody does.
    """
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():  # `auto`, `local`: Ray looks itself
        return
    try:
        create_connection((host.strip("[]"), int(port)), PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"--engine ray: no Ray cluster at RAY_ADDRESS={address}: {error}"
        ) from error


def _is_initialized() -> bool:
    """Whether the user has connected already; else make Ray quiet."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Of a warning alone: actors without a GPU ask for the CPU by name.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray.data

    if ray.is_initialized():
        return True
    logging.getLogger("ray").setLevel(_QUIET)
    for handler in logging.getLogger("ray.data").handlers:
        if isinstance(handler, logging.StreamHandler):  # the terminal's; the file keeps its own
            handler.setLevel(_QUIET)
    return False


def _nodes() -> list[Mapping[str, float]]:
    import ray

    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


CONNECTION: Final = Connection()
