"""What is shown of scorers at work: bars, figures and matrices as they fill, as far as they fit."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from rmjudge.metrics.accuracy import mean
from rmjudge.metrics.compute import headline_reading
from rmjudge.metrics.report import Reading
from rmjudge.render.figures import tuples_word
from rmjudge.running.job import Job, LiveCells
from rmjudge.running.pricing import cost_of
from rmjudge.runs.underway import ScorerProgress
from rmjudge.text import clean, shorten
from rmjudge.vocabulary import CELLS_OF, DIFFICULTIES, STYLES, in_order

MATRICES: Final = 3
DIFFICULTY_LINES: Final = 2
FIGURES: Final = 1
BARS: Final = 0
"""How much is shown of each scorer at work, the most first."""
NAME_SHARE: Final = 0.45
"""Of the width, at most, for a name."""


@dataclass(slots=True)
class Pace:
    """When a scorer began to answer, and when it was done; seconds of the board's clock."""

    since: float
    ended: float | None = None


class Board:
    """What is shown of the jobs, computed when it is shown.

    `look` is called now and then, for it is the board that takes the time of each job.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._jobs = jobs
        self._clock = clock
        self._begun = clock()
        self._paces = {job: Pace(self._begun) for job in jobs}

    def look(self) -> None:
        """Take the time: a scorer that prepares itself (a model is loaded) is not slow yet."""
        now = self._clock()
        for job, pace in self._paces.items():
            if not _bought(job) and job.scorer.activity.note:
                pace.since = now
            if not is_done(job):
                pace.ended = None
            elif pace.ended is None:
                pace.ended = now

    def lines(self, told: set[Job] | None = None) -> list[str]:
        """One plain line a job; those in `told` were told as done, and those now done join it."""
        self.look()
        lines = []
        for job in self._jobs:
            if told is not None and job in told:
                continue
            if told is not None and is_done(job):
                told.add(job)
            lines.append(
                f"{clean(job.scorer.name)}: {job.counts.done} of {job.counts.planned} calls, "
                + ", ".join(self._figures(job))
            )
        return lines

    def progress(self) -> list[ScorerProgress]:
        """How far each scorer is, for the file in the run's folder."""
        self.look()
        return [
            ScorerProgress(
                scorer=_name(job),
                planned=job.counts.planned,
                done=job.counts.done,
                figures=", ".join(self._figures(job)),
                so_far=_summary(job) if job.live else "",
            )
            for job in self._jobs
        ]

    def renderable(self) -> RenderableType:
        """The board, as much of it as the console has room for."""
        self.look()
        return _Fitted(self)

    def parts(self, level: int, width: int) -> list[RenderableType]:
        """Everything at this level; a scorer that is done has one line at any."""
        done = sum(map(is_done, self._jobs))
        head = f"{time_left(self._clock() - self._begun)} elapsed"
        if len(self._jobs) > 1:
            head += f", {done} of {len(self._jobs)} scorers done"
        parts: list[RenderableType] = [Text(head, style="dim")]
        name = min(max((len(_name(job)) for job in self._jobs), default=0), int(NAME_SHARE * width))
        for job in self._jobs:
            if is_done(job):
                parts.append(self._done_line(job, name, width))
                continue
            parts.append(_bar(job, name))
            if level >= FIGURES:
                parts.append(Text("  " + ", ".join(self._figures(job)), style="dim"))
            if level == DIFFICULTY_LINES and job.live:
                parts.append(Text(f"  {_summary(job)}", style="dim"))
            if level == MATRICES and job.live:
                parts.append(_fill(job))
        return parts

    def _done_line(self, job: Job, name: int, width: int) -> Text:
        """A scorer that is done: what it took, at what rate, and what it got."""
        counts, pace = job.counts, self._paces[job]
        told = "stopped" if job.stopped is not None else "done"
        parts = [f"{told}, {counts.done:,} calls"]
        bought = _bought(job)
        took = (pace.ended or self._clock()) - pace.since
        if bought and took > 0:
            parts.append(f"{bought / took:.1f}/s")
        cost = cost_of(job.spent, job.price)
        if cost is not None:
            parts.append(f"${cost:.4f}")
        if job.live:
            parts.append("E/N/H " + " ".join(_percent(value).strip() for value in _overall(job)))
        if bought and took > 0:
            parts.append(time_left(took))
        line = Text(f"{shorten(_name(job), name):<{name}} ", style="bold", no_wrap=True)
        room, rest = width - line.cell_len, ""
        for part in parts:  # whole figures only
            longer = f"{rest}, {part}" if rest else part
            rest = longer if len(longer) <= room else rest
        line.append(rest, style="not bold")
        return line

    def _figures(self, job: Job) -> list[str]:
        counts, activity = job.counts, job.scorer.activity
        flow = activity.flow
        in_flight = str(counts.in_flight)
        if flow is not None:  # what waits for its turn is not in flight
            in_flight = f"{flow.in_flight} of {flow.limit}" if flow.limit else "0"
        figures = [f"{counts.from_cache} cached", f"{in_flight} in flight"]
        if activity.retried:
            figures.append(f"{activity.retried} retried")
        if counts.failed:
            figures.append(f"{counts.failed} failed")
        if counts.unscored:
            figures.append(f"{counts.unscored} unscored")
        bought = _bought(job)
        pace = self._paces[job]
        elapsed = max((pace.ended or self._clock()) - pace.since, 1e-9)
        if bought and not activity.batched:
            rate = bought / elapsed
            figures.append(f"{rate:.1f}/s")
            if left := counts.planned - counts.done:
                figures.append(f"{time_left(left / rate)} left")
        cost = cost_of(job.spent, job.price)
        if cost is not None:
            figures.append(f"${cost:.4f}")
        if activity.note and not job.finished:
            figures.append(clean(activity.note))
        return figures


class _Fitted:
    """The board at the richest level whose lines the console has room for: none is cut off."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = console.size.height - 1
        parts: list[RenderableType] = []
        for level in range(MATRICES, BARS - 1, -1):
            parts = self._board.parts(level, options.max_width)
            drawn = console.render_lines(Group(*parts), options.update(height=None), pad=False)
            if len(drawn) <= room:
                yield Group(*parts)
                return
        hidden = len(parts) - (room - 1)  # more scorers than lines; a bar is a line
        yield Group(*parts[: room - 1], Text(f"and {hidden} more", style="dim"))


def is_done(job: Job) -> bool:
    """Whether nothing more is asked of the scorer."""
    if job.stopped is not None:
        return not job.counts.in_flight
    return job.finished and job.counts.planned > 0


def _bought(job: Job) -> int:
    return job.counts.answered + job.counts.failed


def _name(job: Job) -> str:
    return clean(job.scorer.name)


def _bar(job: Job, name: int) -> Table:
    """The name, a bar across what is left of the width, and the count."""
    counts = job.counts
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.add_column(no_wrap=True, overflow="ellipsis", width=max(name, 1))
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True, justify="right")
    bar.add_row(
        Text(_name(job), style="bold"),
        ProgressBar(total=max(counts.planned, 1), completed=counts.done),
        Text(f"{counts.done}/{counts.planned}"),
    )
    return bar


def _fill(job: Job) -> RenderableType:
    """The matrix of each domain so far, in percent of its complete tuples."""
    reading = headline_reading(job.scorer.method)
    grid = Table.grid(padding=(0, 2), pad_edge=True)
    domains = in_order(job.live)
    grid.add_row(Text(""), *(Text(f"{domain} ({job.live[domain].tuples})") for domain in domains))
    for row, style in enumerate(STYLES):
        cells = (Text(_row_of(job.live[domain], row, reading)) for domain in domains)
        grid.add_row(Text(style, style="dim"), *cells)
    hard = (
        Text(" ".join(map(_percent, _difficulties(job.live[domain], reading))), style="dim")
        for domain in domains
    )
    grid.add_row(Text("E/N/H", style="dim"), *hard)
    return grid


def _row_of(cells: LiveCells, row: int, reading: Reading) -> str:
    return " ".join(_percent(cells.mean(3 * row + j, reading)) for j in range(3))


def _overall(job: Job) -> list[float | None]:
    """Easy, Normal and Hard so far, averaged over the domains: as the final table has them."""
    reading = headline_reading(job.scorer.method)
    domains = [_difficulties(cells, reading) for cells in job.live.values()]
    return [mean(domain[place] for domain in domains) for place in range(len(DIFFICULTIES))]


def _summary(job: Job) -> str:
    tuples = sum(cells.tuples for cells in job.live.values())
    shown = (
        f"{difficulty.capitalize()} {_percent(value).strip()}"
        for difficulty, value in zip(DIFFICULTIES, _overall(job), strict=True)
    )
    return f"{' '.join(shown)} ({tuples_word(tuples)})"


def _difficulties(cells: LiveCells, reading: Reading) -> list[float | None]:
    """Easy, Normal and Hard of a domain; none where one of its cells has no score."""
    return [
        mean(cells.mean(3 * i + j, reading) for i, j in CELLS_OF[difficulty])
        for difficulty in DIFFICULTIES
    ]


def _percent(value: float | None) -> str:
    return "  -" if value is None else f"{100 * value:3.0f}"


def time_left(seconds: float) -> str:
    """How long it may still take, for people: 42 s, 3 min, 2 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
