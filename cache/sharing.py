"""A process's share in a cache's files; who has them alone looks for damage first.

The lock is the operating system's, on the folder itself: it goes with the process, however
that ends, and leaves no file. Where there is no such lock, damage is still reported when it
is met, but nothing is salvaged: another process might be writing.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from rmjudge.cache.database import DATABASE, LOG, connect_to_read, is_damage
from rmjudge.cache.salvage import mark, marked, salvage
from rmjudge.errors import StorageStopped

if sys.platform != "win32":
    import fcntl

CHECK_WAIT_S: Final = 60.0
_POLL_S: Final = 0.02
_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 20


class Share:
    """Held for as long as the cache is open.

    Raises:
        OSError: the folder cannot be made or opened.
        StorageStopped: it was damaged; what could be read was saved, and the user is to know.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._descriptor = os.open(folder, os.O_RDONLY) if sys.platform != "win32" else -1
        try:
            self._enter()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give it up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _enter(self) -> None:
        before = self._set_aside()
        end = time.monotonic() + CHECK_WAIT_S
        while True:
            if self._lock(alone=True):
                self._look(before)
                if not self._lock(alone=False):
                    continue
                return
            if self._lock(alone=False):
                self._refuse_damaged()
                return
            if time.monotonic() > end:
                raise StorageStopped(
                    f"the cache {self._folder}: another process has been checking it for over a "
                    "minute; wait for that process, or use another --cache-dir"
                )
            time.sleep(_POLL_S)

    def _lock(self, *, alone: bool) -> bool:
        if sys.platform == "win32":
            return not alone
        try:
            fcntl.flock(
                self._descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB
            )
        except BlockingIOError:
            return False
        except OSError:  # a file system without locks
            return not alone
        return True

    def _look(self, before: set[str]) -> None:
        """Look for damage; nobody else has the cache open."""
        if self._set_aside() != before:
            raise StorageStopped(
                f"the cache {self._folder} was damaged, and another process has just saved what "
                "can be read of it; nothing was bought; the same command again goes on"
            )
        why = damage(self._folder)
        if why is not None:
            mark(self._folder, why)
            raise salvage(self._folder, why).stopped()

    def _refuse_damaged(self) -> None:
        if marked(self._folder) is not None:
            raise StorageStopped(
                f"the cache {self._folder} is damaged, and another process is using it; once that "
                "has ended, the same command again saves what can be read"
            )

    def _set_aside(self) -> set[str]:
        return {path.name for path in self._folder.glob("damaged-*")}


def damage(folder: Path) -> str | None:
    """What is wrong with the files, as far as a quick look tells; the caller has them alone.

    Damage that lies deeper shows when it is read, which leaves a note for the next look.
    """
    if (why := marked(folder)) is not None:
        return why
    database, log = folder / DATABASE, folder / LOG
    size = database.stat().st_size if database.exists() else 0
    if not size:
        # SQLite would take an empty file for a new database, and delete the log beside it.
        used = database.exists() and (folder / "claims").exists()
        logged = log.exists() and log.stat().st_size
        return "the database is empty" if used or logged else None
    return _of_header(database) or _of_contents(folder)


def _of_header(database: Path) -> str | None:
    with database.open("rb") as file:
        header = file.read(_HEADER)
    # Before SQLite opens it, which may play the log into a file that is no database any more.
    if header[:16] != _MAGIC:
        return "file is not a database"
    # SQLite takes other numbers there for a database that may only be read.
    return None if {*header[18:20]} <= {1, 2} else "its header is damaged"


def _of_contents(folder: Path) -> str | None:
    try:
        with closing(connect_to_read(folder)) as connection:
            for statement in ("PRAGMA schema_version", "SELECT count(*) FROM sqlite_master"):
                connection.execute(statement).fetchall()
            with suppress(sqlite3.OperationalError):  # no such table: a cache that is new
                connection.execute("SELECT key FROM Cache ORDER BY rowid DESC LIMIT 1").fetchall()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
    return None
