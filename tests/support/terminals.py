"""A command in a real terminal, which can be closed."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Self

    from command import Cli

CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HIDE, SHOW, UP = "\x1b[?25l", "\x1b[?25h", "\x1b[1A"


class Terminal:
    """A command in a terminal of its own, of 80 columns and 40 lines.

    The command is what a login is to its terminal: it is told when that is closed.
    """

    def __init__(
        self,
        cli: Cli,
        *words: object,
        wide: int = 80,
        high: int = 40,
        before: tuple[str, ...] = (),
        **variables: str,
    ) -> None:
        """`before` are words before the command, such as `nohup`."""
        self._master, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", high, wide, 0, 0))
        shown = {"COLUMNS": str(wide), "TERM": "xterm-256color", **variables}
        self.process = subprocess.Popen(
            [*before, cli.command, *map(str, words)],
            stdin=follower,
            stdout=follower,
            stderr=follower,
            cwd=cli.home,
            env=cli.environment(**shown),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509
        )
        os.close(follower)
        self._open = True
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self) -> None:
        """Close the window, or drop the connection."""
        if self._open:
            self._open = False
            os.close(self._master)

    def read_until(self, text: str) -> None:
        """Read what is shown until the text comes; the end of the output comes first: fail."""
        start = len(self.shown)
        for part in self._parts():
            self.shown += part
            if text in self.shown[start:]:
                return
        raise AssertionError(f"{text!r} was never shown in {self.shown!r}")

    def read_all(self) -> int:
        """Read to the end; return the exit code."""
        for part in self._parts():
            self.shown += part
        return self.process.wait()

    def _parts(self) -> Iterator[str]:
        with suppress(OSError):  # the command has left: Linux tells it so
            while data := os.read(self._master, 65536):
                yield self._decoder.decode(data)

    @property
    def lines(self) -> list[str]:
        """Every line as it was ever written, without colours and movements."""
        return re.split(r"[\r\n]+", CONTROLS.sub("", self.shown))
