"""Every test has its own home, no keys, and a real server process when it asks for one."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parent / "servers" / "model_server.py"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "rm-bench"


class ModelServer:
    """A running `servers/model_server.py`."""

    def __init__(self, port: int) -> None:
        self.root = f"http://127.0.0.1:{port}"
        self.judge = f"openai/judge@{self.root}/v1"
        self.reward = f"vllm/rm@{self.root}"

    def _call(self, path: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps(data or {}).encode()
        with urllib.request.urlopen(self.root + path, body, timeout=10) as reply:  # noqa: S310
            found: dict[str, Any] = json.load(reply)
            return found

    def control(self, **settings: Any) -> None:
        """Set script, rate, faults, seed, latency_s."""
        self._call("/control", settings)

    def reset(self) -> None:
        """Forget counts and settings."""
        self._call("/reset")

    @property
    def stats(self) -> dict[str, Any]:
        """What was asked and delivered so far."""
        return self._call("/stats")


@pytest.fixture(scope="session")
def _model_server_process() -> Iterator[ModelServer]:
    process = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    yield ModelServer(int(process.stdout.readline()))
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture
def server(_model_server_process: ModelServer) -> ModelServer:
    """A model server in a process of its own, with clean counts."""
    _model_server_process.reset()
    return _model_server_process


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(home))
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "VLLM_API_KEY", "VLLM_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(home)


@pytest.fixture
def rm_bench_files() -> Path:
    """The folder with real RM-Bench files, which lies beside a developer's checkout only."""
    if not SHARED.is_dir():
        pytest.skip(f"the real RM-Bench files are not at {SHARED}")
    return SHARED
