"""`rmjudge view`."""

from __future__ import annotations

import argparse
import hashlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.cli.arguments import add_cache_dir, add_command, add_data, add_runs
from rmjudge.errors import RmjudgeError, UsageError

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.runs.underway import Underway

PORT: Final = 8765
PORTS: Final = 65535
FILES: Final = ("metrics.json", "results.jsonl", "run.json")
SO_FAR_S: Final = 10.0
SHARE: Final = 20
"""What a run has so far appears anew so often, or after so many times what making the page took."""
SILENT_S: Final = 60.0
"""A run tells how far it is every two seconds; one that is silent for so long has died."""


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "view",
        view,
        help="the page of runs in a browser, also while they go on",
        description="Serve the page of `rmjudge report --html` on 127.0.0.1, to this machine "
        "alone. It says how far a run is, shows what is known so far, and its results once they "
        "are there. Ctrl-C ends it.",
    )
    add_runs(parser, help="what `rmjudge run` wrote, or writes")
    parser.add_argument(
        "--port",
        type=port,
        default=PORT,
        metavar="N",
        help=f"default {PORT}; 0 for a free one",
    )
    add_data(parser)
    add_cache_dir(parser, "where the answers are now, if they have moved")


def port(text: str) -> int:
    """A port of this machine, 0 for a free one."""
    if not text.isdecimal() or int(text) > PORTS:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; 0 to {PORTS}")
    return int(text)


def view(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Serve until Ctrl-C."""
    from rmjudge.cli.console import print_text, say
    from rmjudge.cli.serving import PageServer

    shown = _Shown(arguments.folders, tuple(arguments.data or ()), arguments.cache_dir)
    shown.check()
    with PageServer(arguments.port, shown.page, shown.state) as server:
        print_text(server.address)
        say("open this address in a browser; Ctrl-C ends it")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("ended")
    return 0


class _Shown:
    """The page of some folders as they are now; it is made again when their files changed."""

    def __init__(
        self, folders: Sequence[Path], data: tuple[str, ...], cache_folder: Path | None
    ) -> None:
        self._folders = folders
        self._data = data
        self._cache_folder = cache_folder
        self._lock = threading.Lock()
        self._made = ("", "")
        """A state, and the page of it."""
        self._so_far = ("", 0.0)
        """Which complete tuples of runs under way are shown, and when others may be."""

    def check(self) -> None:
        """Make sure that there is something to show.

        Raises:
            UsageError: a folder holds no run, and none is under way in it.
        """
        from rmjudge.runs.files import find_results
        from rmjudge.runs.underway import find_underway

        for folder in self._folders:
            if not find_underway(folder):
                find_results(folder)

    def state(self) -> dict[str, Json]:
        """Which results there are, as a word that changes with them, and who is at work."""
        return {"state": self._state(), "running": list(self._running())}

    def page(self) -> str:
        """The page, or what can be said while there are no results."""
        with self._lock:  # making one takes seconds, and a browser asks twice
            state = self._state()
            if self._made[0] != state:
                begun = time.monotonic()
                self._made = (state, self._page(state))
                now = time.monotonic()
                self._so_far = (self._so_far[0], now + max(SO_FAR_S, SHARE * (now - begun)))
            return self._made[1]

    def _page(self, state: str) -> str:
        from rmjudge.cli.page import page_of
        from rmjudge.render.page import Live, Table, so_far, tables_page
        from rmjudge.runs.so_far import find_so_far

        found = [one for folder in self._folders for one in find_so_far(folder)]
        live = Live(state, tuple(self._running()), tuple(so_far(found)))
        folders = [folder for folder in self._folders if _results(folder)]
        if not folders:
            note = "There are no results yet: a run writes them at its end. They will appear here."
            return tables_page("The run goes on", [Table("Results", (), (), (note,))], live)
        try:
            return page_of(
                folders, self._data, self._cache_folder, notice=lambda _: None, live=live
            )
        except RmjudgeError as error:
            told = Table("Results", (), (), (str(error),))
            return tables_page("The results cannot be read", [told], live)

    def _state(self) -> str:
        """A digest of the files' names, times and sizes.

        What runs have so far grows all the time: that changes the state now and then only.
        """
        from rmjudge.runs.so_far import so_far_files

        results = (one / name for f in self._folders for one in _results(f) for name in FILES)
        _, until = self._so_far
        files = [path for folder in self._folders for path in so_far_files(folder)]
        if time.monotonic() >= until or not files:
            self._so_far = (_digest(files), until)
        return _digest(results) + self._so_far[0]

    def _running(self) -> Iterator[str]:
        from rmjudge.runs.underway import find_underway

        for folder in self._folders:
            for underway in find_underway(folder):
                yield from _lines(underway)


def _digest(paths: Iterable[Path]) -> str:
    files = []
    for path in sorted(paths):
        with suppress(OSError):  # it is being replaced
            about = path.stat()
            files.append((str(path), about.st_mtime_ns, about.st_size))
    return hashlib.sha256(repr(files).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _results(folder: Path) -> list[Path]:
    from rmjudge.runs.files import find_results

    try:
        return find_results(folder)
    except UsageError:
        return []


def _lines(underway: Underway) -> Iterator[str]:
    """A line for each scorer of a run under way."""
    silent = time.time() - underway.told
    for one in underway.scorers:
        line = f"{one.scorer}: still running, {one.done:,} of {one.planned:,} calls answered"
        if silent > SILENT_S:
            line = (
                f"{one.scorer}: {one.done:,} of {one.planned:,} calls answered, and no word for "
                f"{silent / 60:.0f} min; if the run has died, run its command again"
            )
        elif one.done >= one.planned > 0:
            line = f"{one.scorer}: all {one.planned:,} calls answered"
        more = [text for text in (one.figures, one.so_far) if text]
        yield "; ".join((line, *more))
