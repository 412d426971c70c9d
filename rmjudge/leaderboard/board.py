"""A group's own leaderboard: a TOML file with a row for each of its models.

A row is made of a finished run and holds its figures, so that the run's folder may go. A newer run
of the same scorer over the same data takes the place of an older one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import tomli_w

from rmjudge.errors import UsageError
from rmjudge.leaderboard.published import Figures
from rmjudge.leaderboard.standing import Entry, figures_of, what_lacks
from rmjudge.runs.stored import StoredRun
from rmjudge.text import error_line, label, one_line, printable

FORMAT: Final = 1
FIGURES: Final = tuple(field.name for field in fields(Figures))


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A model's row. `written` is its table in the file, keys that somebody added included.

    `started` is when the run began, Unix time; 0 in a row that does not tell.
    """

    name: str
    scorer: str
    data: str
    started: float
    figures: Figures
    tuples: int
    unscored: int
    unranked: str
    written: Mapping[str, Any]

    @property
    def entry(self) -> Entry:
        """The row among the published ones."""
        return Entry(
            name=self.name,
            type="this run",
            figures=self.figures,
            average=self.figures.overall,
            is_run=True,
            unranked=self.unranked,
            cells=self.tuples * 9,
            unscored=self.unscored,
        )


@dataclass(frozen=True, slots=True)
class Board:
    """The file: its title and its rows, in the order in which they came."""

    title: str
    rows: tuple[BoardRow, ...]


def read_board(path: Path) -> Board:
    """Read the file; one that is not there yet is an empty board.

    Raises:
        UsageError: it is no board, and why.
    """
    shown = printable(str(path))
    if not path.exists():
        return Board(one_line(path.stem), ())
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
        if found.get("format") != FORMAT:
            raise ValueError(f"format = {found.get('format')!r}; this version reads {FORMAT}")
        models = found.get("model", [])
        if not isinstance(models, list):
            raise TypeError("model is no list of tables ([[model]])")
        rows = tuple(_read(number, model) for number, model in enumerate(models, 1))
        return Board(one_line(str(found.get("title", path.stem))), rows)
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(f"{shown} is no board of rmjudge: {error_line(error)}") from error


def _read(number: int, model: Any) -> BoardRow:
    where = f"[[model]] number {number}"
    if not isinstance(model, dict):
        raise TypeError(f"{where} is no table")
    for name, kind in (("scorer", str), ("data", str), ("tuples", int), ("unscored_cells", int)):
        if not isinstance(model.get(name), kind) or isinstance(model.get(name), bool):
            raise ValueError(f"{where}: {name} is missing, or no {kind.__name__}")
    figures = {name: model.get(name) for name in FIGURES}
    for name, value in (*figures.items(), ("started", model.get("started", 0))):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError(f"{where}: {name} is no number")
    for name, value in figures.items():
        if value is not None and not 0 <= value <= 1:
            raise ValueError(f"{where}: {name} = {value} is no fraction from 0 to 1")
    return BoardRow(
        name=label(str(model.get("name", model["scorer"]))),
        scorer=model["scorer"],
        data=model["data"],
        started=float(model.get("started", 0)),
        figures=Figures(**figures),
        tuples=model["tuples"],
        unscored=model["unscored_cells"],
        unranked=one_line(str(model.get("not_ranked", ""))),
        written=model,
    )


def add_runs(board: Board, runs: Sequence[StoredRun]) -> tuple[Board, list[str]]:
    """Put runs on the board; say what took the place of what, and what is older and left out.

    A row that is replaced keeps its name and whatever somebody has added to it.
    """
    rows, notes = list(board.rows), []
    for run in runs:
        new = _row(run)
        place = next(
            (k for k, row in enumerate(rows) if (row.scorer, row.data) == (new.scorer, new.data)),
            None,
        )
        if place is None:
            rows.append(new)
            continue
        old = rows[place]
        if new.started < old.started:
            notes.append(f"{run.folder} is left out: the board has a newer run of {old.name}")
            continue
        own = {name: value for name, value in old.written.items() if name not in FIGURES}
        rows[place] = _read(place + 1, {**own, **new.written, "name": old.name})
        if new.figures != old.figures:
            notes.append(f"{old.name}: the run of {run.folder} takes the place of an older one")
    return Board(board.title, tuple(rows)), notes


def _row(run: StoredRun) -> BoardRow:
    metrics, record = run.result.metrics, run.record
    figures = figures_of(metrics)
    known = {name: getattr(figures, name) for name in FIGURES}
    return _read(
        0,
        {
            "name": label(metrics.scorer),
            "scorer": one_line(metrics.scorer),
            "data": record.digest or _tuples_of(run),
            # An imported run does not tell when it was made: then it is when it was imported.
            "started": record.started or round(record.path.stat().st_mtime, 3),
            "tuples": metrics.tuples,
            "unscored_cells": metrics.unscored_cells,
            "not_ranked": what_lacks(metrics),
            "reading": metrics.reading,
            "folder": one_line(str(run.folder)),
            **{name: value for name, value in known.items() if value is not None},
        },
    )


def _tuples_of(run: StoredRun) -> str:
    """The key of the data of an imported run, which has no texts: which tuples it has."""
    names = sorted(item.name for item in run.result.tuples)
    return "tuples:" + sha256("\n".join(names).encode("utf-8", "replace")).hexdigest()


def board_text(board: Board) -> str:
    """Write the file, in ASCII; comments that somebody wrote into it are not kept."""
    text = tomli_w.dumps(
        {
            "format": FORMAT,
            "title": board.title,
            "model": [dict(row.written) for row in board.rows],
        }
    )
    return re.sub(r"[^\x00-\x7f]", lambda found: f"\\U{ord(found[0]):08x}", text)
