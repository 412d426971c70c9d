"""An open cache in a folder that is not there yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rmjudge.cache import AnswerCache


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that is not there yet, nor the one above it."""
    return tmp_path / "new" / "answers"


@pytest.fixture
def cache(folder: Path) -> Iterator[AnswerCache]:
    """An open cache in `folder`."""
    with AnswerCache(folder) as cache:
        yield cache
