"""A vendor with batches: a process of the tests' own, and runs of its models."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

SERVER = Path(__file__).parents[1] / "servers" / "batch_server.py"
PATHS = {"openai": "/v1", "anthropic": "", "gemini": "", "openai-responses": "/v1"}
FAST = {"RMJUDGE_BATCH_LOOK_S": "0.1", "RMJUDGE_BATCH_SILENCE_S": "0.5"}
"""Variables of a run that does not wait long for a vendor."""
each_shape = pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])


class BatchVendor:
    """A running `servers/batch_server.py`."""

    def __init__(self) -> None:
        self.process = subprocess.Popen([sys.executable, str(SERVER)], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.root = f"http://127.0.0.1:{int(self.process.stdout.readline())}"

    def model(self, provider: str = "openai") -> str:
        """A model of it, by the provider that asks it."""
        return f"{provider}/judge@{self.root}{PATHS[provider]}"

    def _call(self, path: str, data: dict[str, Any] | None = None) -> Any:
        body = json.dumps(data or {}).encode()
        with urllib.request.urlopen(self.root + path, body, timeout=20) as reply:  # noqa: S310
            return json.load(reply)

    def control(self, **settings: Any) -> None:
        """Set what goes wrong."""
        self._call("/control", settings)

    def reset(self) -> None:
        """Forget all."""
        self._call("/reset")

    @property
    def stats(self) -> Any:
        """What it was paid for, and what it still has."""
        return self._call("/stats")

    def kill(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
