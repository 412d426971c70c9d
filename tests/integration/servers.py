"""Starting real servers that `make test-integration` has installed, each on a free port.

They lie below one folder, `.servers/` of the checkout unless `RMJUDGE_SERVERS` names another:
a virtual environment or `node_modules` for each, and `models/`, made by `tiny_models.py`.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = Path(os.environ.get("RMJUDGE_SERVERS") or _CHECKOUT / ".servers").absolute()
TRANSFORMERS: Final = FOLDER / "transformers" / "bin" / "transformers"
LITELLM: Final = FOLDER / "litellm" / "bin" / "litellm"
AIMOCK: Final = FOLDER / "aimock" / "node_modules" / ".bin" / "llmock"
OGX: Final = FOLDER / "ogx" / "bin" / "ogx"
PYTRITON: Final = FOLDER / "pytriton" / "bin" / "python"
VLLM: Final = FOLDER / "vllm" / "bin" / "vllm"
RAY: Final = FOLDER / "ray" / "bin" / "python"
TINY_LM: Final = FOLDER / "models" / "tiny-lm"
TINY_RM: Final = FOLDER / "models" / "tiny-rm"
PROXY_KEY: Final = "sk-rmjudge-tests-0123456789abcdef"
UPSTREAM: Final = ("upstream-429", "upstream-500", "upstream-529", "upstream-long")
OFFLINE: Final = {"HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}


@dataclass(frozen=True)
class Server:
    """A server that answers at `url`."""

    url: str

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Use its own controls, past rmjudge."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
            return json.load(reply)


class Aimock(Server):
    """Answers as OpenAI, Anthropic or Gemini would, with what a test taught it."""

    def teach(
        self,
        model: str,
        response: Mapping[str, object],
        *,
        chaos: str = "",
        turn: int | None = None,
    ) -> None:
        """Let a model answer this, always or at its `turn`; `chaos` breaks every reply."""
        match = {"model": model} if turn is None else {"model": model, "sequenceIndex": turn}
        lesson = {"match": match, "response": response, "chaos": {chaos: 1} if chaos else {}}
        self.call("POST", "/__aimock/fixtures", {"fixtures": [lesson]})

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The requests so far, each with its headers and the status that it was given."""
        journal: list[dict[str, Any]] = self.call("GET", "/__aimock/journal")
        return journal


def require(*paths: Path) -> None:
    """Skip where a server, or a model that it needs, is not installed."""
    for path in paths:
        if not path.exists():
            name = path.relative_to(FOLDER).parts[0 if path.parent.parent != FOLDER else -1]
            pytest.skip(f"{name} is not installed: make test-integration installs it")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[object],
    url: str,
    ready: str,
    log: Path,
    *,
    within_s: float,
    environment: Mapping[str, str] = OFFLINE,
) -> Iterator[None]:
    """Run a server until the block ends, from when it answers at `ready`."""
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=log.parent,
            env={**bare, **environment},
            start_new_session=True,
        )
    try:
        _wait(process, url + ready, log, within_s)
        yield
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path, within_s: float) -> None:
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):  # noqa: S310
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"no server at {url}; its log ends:\n{log.read_text('utf-8', 'replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask its whole session to end as Ctrl-C would, then insist."""
    for how in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
            break
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # children that outlived it
