"""The content of a model's folder as one hash, so that the same weights are known anywhere.

Reading 16 GB takes its time, so a file's hash is remembered with its size and the time of its
last change, in the user's cache folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from platformdirs import user_cache_dir

_SUFFIXES: Final = frozenset((".safetensors", ".json", ".jinja", ".model", ".txt", ".tiktoken"))


def digest_of_folder(folder: Path, code: bool = False, without: str = "") -> str:
    """SHA-256 over names and contents of weights, configuration and tokenizer, 32 hex digits.

    `code` counts Python files as well, and the file `without` does not count. Other files, such as
    README.md, do not count.
    """
    memory = _Memory()
    files = [path for path in _files(folder, code) if path.name != without]
    lines = [f"{path.name} {memory.digest(path)}\n" for path in files]
    memory.save()
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:32]


def _files(folder: Path, code: bool) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and (path.suffix in _SUFFIXES or (code and path.suffix == ".py")):
            yield path


class _Memory:
    """Hashes of files that have not changed since."""

    def __init__(self) -> None:
        self._file = Path(user_cache_dir("rmjudge")) / "model-files.json"
        self._fresh = False
        try:
            known = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            known = {}
        self._known: dict[str, object] = known if isinstance(known, dict) else {}

    def digest(self, path: Path) -> str:
        stat = path.stat()
        key = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns}"
        found = self._known.get(key)
        if isinstance(found, str):
            return found
        with path.open("rb") as file:
            made = hashlib.file_digest(file, "sha256").hexdigest()
        self._known[key] = made
        self._fresh = True
        return made

    def save(self) -> None:
        """Keep what was computed; a folder that cannot be written costs time, no more."""
        if not self._fresh:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self._file.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self._known, file)
            Path(name).replace(self._file)
        except OSError:
            return
