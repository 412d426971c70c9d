"""The tables and heat maps of the page, as words; the template gives them their elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from rmjudge.metrics.report import DomainMetrics, Metrics
from rmjudge.metrics.tallies import Matrix
from rmjudge.render import cells
from rmjudge.render.figures import UNICODE, ends, heat, known, leaning, percent, tuples_word
from rmjudge.render.rows import READING_NAMES, caption_lines, footnotes, summary_rows, unscored_text
from rmjudge.render.sheets import Sheet
from rmjudge.runs.conclusions import conclusions
from rmjudge.runs.naming import asked_words, labels
from rmjudge.runs.results import ScorerResult
from rmjudge.runs.so_far import SoFar
from rmjudge.runs.views import View, ViewedScorer
from rmjudge.text import one_line
from rmjudge.vocabulary import DIFFICULTIES, STYLES, Domain, difficulty_of, in_order, title_of

HEAT_STEPS: Final = 20
"""Colours between 0 and 100 %: a style attribute would need a hole in the content policy."""


Fold = Literal["none", "rows", "whole"]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the page: the first column is text, the others figures, notes stand below.

    One without a header has only notes. `quiet` rows are shown with less weight, `strong` ones
    with more.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    quiet: frozenset[int] = frozenset()
    strong: frozenset[int] = frozenset()

    @classmethod
    def of_sheet(cls, sheet: Sheet) -> Table:
        """The same table as the terminal's, its caption as the last note."""
        return cls(
            title=sheet.title,
            header=sheet.header,
            rows=sheet.rows,
            notes=tuple(text for text in (*sheet.notes, sheet.caption) if text),
            quiet=sheet.faint,
            strong=sheet.bold,
        )


@dataclass(frozen=True, slots=True)
class Section:
    """Tables under one heading. `anchor` is a plain word, unlike that of every other section.

    `fold` closes the tables after the first until they are asked for: their `rows`, so that the
    notes are seen, or the `whole` of each under its title.
    """

    anchor: str
    title: str
    tables: tuple[Table, ...]
    fold: Fold = "none"


@dataclass(frozen=True, slots=True)
class HeatCell:
    """A figure, the number of its colour (None: no data) and the cell's difficulty."""

    figure: str
    heat: int | None
    difficulty: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A 3x3 matrix, rows by the style of the chosen; `figures` are (name, number) pairs.

    `scale` says what the colours mean: `h` bad to good, `p` level at a half, either end apart.
    """

    title: str
    about: str
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]
    figures: tuple[tuple[str, str], ...] = ()
    doubt: str = ""
    scale: str = "h"


@dataclass(frozen=True, slots=True)
class ScorerMaps:
    """A scorer's heat maps under its name; `notes` are what its run has to say."""

    name: str
    about: str
    notes: tuple[str, ...]
    maps: tuple[HeatMap, ...]


@dataclass(frozen=True, slots=True)
class ScorerSoFar:
    """A scorer of a run that goes on: what is said of it, how much is answered, its heat maps."""

    name: str
    conclusion: str
    about: str
    maps: tuple[HeatMap, ...]


def so_far(found: Sequence[SoFar]) -> list[ScorerSoFar]:
    """Lay out what is known of scorers at work, marked as not final; those without a tuple not."""
    results = [one.result() for one in found]
    said = dict(conclusions(results))
    shown = []
    for name, one, result in zip(labels(results), found, results, strict=True):
        if not one.complete:
            continue
        answered = f"{len(one.complete):,} of {tuples_word(len(one.asked))} answered"
        conclusion = said.get(name)
        shown.append(
            ScorerSoFar(
                name=name,
                conclusion=f"Not final, {answered}: {conclusion.text_of(name)}"
                if conclusion
                else "",
                about=_about(result.metrics, answered),
                maps=tuple(_of_domain_so_far(domain, one, result) for domain in one.begun),
            )
        )
    return shown


def _of_domain_so_far(domain: Domain, one: SoFar, result: ScorerResult) -> HeatMap:
    known = sum(item.domain == domain for item in one.complete.values())
    heat_map = _of_domain(title_of(domain), result.metrics.domains[domain])
    total = tuples_word(result.metrics.domains[domain].tuples)
    return replace(heat_map, about=f"{known:,} of {total}, %")


def summary(view: View) -> Table:
    """All scorers, with the marks and the footnotes of the terminal."""
    rows = summary_rows(view.results)
    lines = cells.summary_lines(rows, UNICODE)
    return Table(
        title="Accuracy, %",
        header=("Scorer", *cells.summary_header(rows)),
        rows=tuple((line.name, *(figure.text for figure in line.figures)) for line in lines),
        notes=(
            *(f"{UNICODE.mark(note.kind)} {note.text}." for note in footnotes(rows)),
            *caption_lines(rows),
        ),
        quiet=frozenset(number for number, line in enumerate(lines) if line.other),
    )


def judges(view: View) -> Table | None:
    """Where the judges' verdicts fall; None without judges."""
    rows = tuple(
        (scorer.name, *cells.judge_cells(scorer.result, UNICODE))
        for scorer in view.scorers
        if scorer.result.metrics.position
    )
    header = ("Judge", *cells.JUDGE_HEADER)
    return Table("Judges, %", header, rows, (cells.JUDGE_TEXT,)) if rows else None


def activity(view: View) -> Table:
    """What became of the calls; a combined result and an import made none of their own."""
    rows = tuple(
        (scorer.name, *cells.activity_cells(scorer.result))
        for scorer in view.scorers
        if not scorer.result.combined and scorer.record.imported is None
    )
    header = ("Scorer", *cells.ACTIVITY_HEADER)
    return Table("How the runs were made", header if rows else (), rows)


def bills(view: View) -> Table | None:
    """What each scorer took, in its run and in all; None where nothing is counted."""
    rows = tuple(
        (scorer.name, *row)
        for scorer in view.scorers
        if not scorer.result.combined
        for row in cells.bill_rows(scorer.result, UNICODE)
    )
    header = ("Scorer", *cells.BILL_HEADER)
    return Table("What it took", header, rows, (cells.BILL_TEXT,)) if rows else None


def heat_maps(view: View) -> list[ScorerMaps]:
    """Every scorer's matrices, domain by domain."""
    return [_maps_of(scorer.name, scorer.result) for scorer in view.scorers]


def _maps_of(name: str, result: ScorerResult) -> ScorerMaps:
    metrics = result.metrics
    notes = [*map(one_line, result.notes)]
    if result.stopped:
        notes.append(f"stopped: {one_line(result.stopped)}")
    return ScorerMaps(
        name=name,
        about=_about(metrics, tuples_word(metrics.tuples)),
        notes=tuple(notes),
        maps=tuple(
            _of_domain(title_of(domain), metrics.domains[domain])
            for domain in in_order(metrics.domains)
        ),
    )


def _about(metrics: Metrics, tuples: str) -> str:
    reading = f"reading: {READING_NAMES[metrics.reading]}"
    return ", ".join((metrics.method, *asked_words(metrics), tuples, reading))


def _of_domain(title: str, metrics: DomainMetrics) -> HeatMap:
    figures = [
        (
            part.capitalize(),
            percent(getattr(metrics.headline, part)) + ends(getattr(metrics.intervals, part)),
        )
        for part in (*DIFFICULTIES, "average")
    ]
    figures.append(("Tied", percent(metrics.tie_rate) + ends(metrics.rates.tie)))
    if metrics.split_rate is not None:
        figures.append(("Split", percent(metrics.split_rate) + ends(metrics.rates.split)))
    doubt = ""
    if metrics.unscored_cells:
        asked = metrics.asked_cells
        doubt = unscored_text(metrics.unscored_cells, asked, metrics.bounds)
    return HeatMap(
        title=title,
        about=f"{tuples_word(metrics.tuples)}, %"
        + ("; in parentheses: tuples that have the cell" if metrics.cell_tuples else ""),
        rows=_heated(metrics.matrix, metrics.cell_tuples),
        figures=tuple(figures),
        doubt=doubt,
    )


def position_maps(view: View) -> list[ScorerMaps]:
    """Each judge's shares per cell: verdicts for the first shown, verdicts that survive."""
    return [
        ScorerMaps(scorer.name, "", (), maps)
        for scorer in view.scorers
        if (maps := tuple(_of_position(scorer)))
    ]


def _of_position(scorer: ViewedScorer) -> Iterator[HeatMap]:
    position = scorer.result.metrics.position
    if position and position.first_matrix:
        yield HeatMap(
            "First position", "% of the verdicts", _heated(position.first_matrix), scale="p"
        )
    if position and position.swap_matrix:
        yield HeatMap("Survives swap", "% of the pairs", _heated(position.swap_matrix))


def _heated(
    matrix: Matrix, counts: Sequence[Sequence[int]] | None = None
) -> tuple[tuple[str, tuple[HeatCell, ...]], ...]:
    """With `counts`, the tuples that have a cell stand beside its figure."""
    return tuple(
        (
            STYLES[i],
            tuple(
                HeatCell(
                    percent(value) + (f" ({counts[i][j]:,})" if counts else ""),
                    heat_step(value),
                    difficulty_of(i, j),
                )
                for j, value in enumerate(row)
            ),
        )
        for i, row in enumerate(matrix)
    )


def heat_step(value: float | None) -> int | None:
    """The number of a fraction's colour, 0 to `HEAT_STEPS`."""
    fraction = known(value)
    return None if fraction is None else round(min(max(fraction, 0.0), 1.0) * HEAT_STEPS)


def heat_rules() -> str:
    """The style rules of the colours."""
    return "\n".join(
        f".{scale}{step} {{ --heat: {colour(step / HEAT_STEPS)}; }}"
        for scale, colour in (("h", heat), ("p", leaning))
        for step in range(HEAT_STEPS + 1)
    )
