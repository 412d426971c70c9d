"""A folder that cannot hold answers: the run stops, and says why and what to do."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rmjudge.cache import AnswerCache
from rmjudge.cache.troubles import storage_stopped
from rmjudge.errors import StorageStopped


def test_a_file_in_the_folder_s_place_stops_with_advice(tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("in the way")

    with pytest.raises(StorageStopped, match=r"answers cannot keep answers: .*--cache-dir"):
        AnswerCache(tmp_path / "answers")
    assert (tmp_path / "answers").read_text() == "in the way"


OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from rmjudge.cache import AnswerCache
from rmjudge.errors import StorageStopped
if os.geteuid() == 0:
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
try:
    AnswerCache(Path(sys.argv[1]))
except StorageStopped as stopped:
    print(stopped, end="")
"""


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may enter, as pytest's own are not."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        for path in folder.iterdir():
            path.chmod(0o755)


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions are those of POSIX")
@pytest.mark.parametrize("below", ["", "new"], ids=["as the cache", "around the cache"])
def test_a_read_only_folder_stops_with_advice(open_to_all: Path, below: str) -> None:
    read_only = open_to_all / "answers"
    read_only.mkdir()
    read_only.chmod(0o555)
    folder = read_only / below
    tried = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, str(folder)],
        capture_output=True,
        text=True,
        check=True,
    )

    assert tried.stdout == (
        f"the cache {folder} cannot keep answers: it cannot be written; "
        "make it writable, or use another --cache-dir"
    )


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (PermissionError(13, "Permission denied", "/full/locked/x"), "it cannot be written"),
        (OSError(28, "No space left on device", "/readonly/x"), "the disk is full"),
        (OSError(30, "Read-only file system", "/locked"), "it cannot be written"),
        (OSError(5, "Input/output error", "/full"), "Input/output error"),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full"),
        (sqlite3.OperationalError("disk I/O error"), "disk I/O error"),
        (
            sqlite3.OperationalError("attempt to write a readonly database"),
            "it cannot be written",
        ),
        (sqlite3.OperationalError("database is locked"), "another process has kept it busy"),
        (sqlite3.DatabaseError("database disk image is malformed"), "its file is damaged"),
        (sqlite3.DatabaseError("file is not a database"), "its file is damaged"),
    ],
    ids=repr,
)
def test_the_reason_is_told_whatever_the_path_is_called(cause: Exception, said: str) -> None:
    told = str(storage_stopped(Path("/x"), cause))

    assert told.startswith(f"the cache /x cannot keep answers: {said}")
    assert "; " in told
    assert "database is locked" not in told
