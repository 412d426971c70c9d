"""`rmjudge compare` as tables, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json, matrix_to_json
from rmjudge.metrics.report import Interval, Reading
from rmjudge.render.csvrows import precise, rows_csv
from rmjudge.render.figures import chance, points, points_range, scope, share, signed
from rmjudge.render.sheets import Aside, Sheet
from rmjudge.statistics.comparison import Comparison, Difference, Disagreement, Pair
from rmjudge.statistics.power import ALPHA
from rmjudge.vocabulary import STYLES, Domain, average_over, is_benchmark

READINGS: Final[dict[Reading, str]] = {
    "strict": "Reading: strict for all, a tie is no win (--reading half_credit for the other).",
    "half_credit": "Reading: half credit for all, a tie is half a win, so that a judge that says "
    '"tie" and a reward model that never does are measured alike (--reading strict for the other).',
}
EXPLAINED: Final = (
    "A - B in points, with its 95 % interval, paired by tuple: it leaves out 0 where p is below "
    "0.05, and there alone.",
    "p: McNemar's test with the tuple as the unit, since its cells depend on each other. The "
    "average over all is tested first and alone. p Holm of the other rows is corrected for their "
    "number and never below the average's{pairs}; below 0.05 it is evidence.",
    "kappa: agreement beyond chance on who won each cell. could show: the true difference, in "
    "points, that this test would have found four times in five (80 % power), corrected as p Holm.",
)
CSV_HEADER: Final = (
    *("first", "second", "domain", "part", "tuples"),
    *("first_accuracy", "second_accuracy", "difference", "low", "high"),
    *("only_first", "only_second", "discordant", "p", "p_exact", "p_holm", "detectable"),
    *("kappa", "kappa_low", "kappa_high"),
)


def comparison_sheets(
    comparison: Comparison,
    top: int,
    described: Sequence[str] = (),
    left: Sequence[str] = (),
) -> list[Sheet]:
    """Lay out the scorers, each pair, and the `top` tuples on which they differ most.

    `described` says of each scorer how its run was made, `left` what is not compared.
    """
    letters = _letters(comparison.scorers)
    sheets = [*_left_out(comparison), _scorers(comparison, letters, described, left)]
    for pair in comparison.pairs:
        one, two = letters[pair.first], letters[pair.second]
        sheets += [_pair(comparison, pair, one, two), _kappa_cells(pair, one, two)]
    sheets.append(
        Sheet(
            "How to read this",
            notes=tuple(text.format(pairs=_of_pairs(comparison)) for text in EXPLAINED),
        )
    )
    return [*sheets, _disagreements(comparison, letters, top)]


def _of_pairs(comparison: Comparison) -> str:
    pairs = len(comparison.pairs)
    return f"; all are multiplied by the {pairs} pairs compared" if pairs > 1 else ""


def _left_out(comparison: Comparison) -> Iterator[Sheet]:
    """Say first what the figures are not about."""
    lost = comparison.incomplete + comparison.elsewhere
    if not lost:
        return
    notes = []
    if comparison.incomplete:
        notes.append(
            f"{_tuples(comparison.incomplete)} left out: a cell was not scored by every scorer, "
            "and one such cell takes the whole tuple out. Calls that failed or were never sent are "
            "made when the run is run again; a reply without a verdict stays one."
        )
    if comparison.elsewhere:
        notes.append(f"{_tuples(comparison.elsewhere)} left out: not in every run.")
    every = lost + sum(comparison.tuples.values())
    yield Sheet(
        f"NOT COMPARED: {lost:,} of {every:,} tuples ({100 * lost / every:.0f} %)",
        notes=tuple(notes),
    )


def _tuples(count: int) -> str:
    return f"{count:,} tuple{'s' * (count != 1)}"


def _letters(scorers: Sequence[str]) -> dict[str, str]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    few = len(scorers) <= len(alphabet)
    return {name: alphabet[place] if few else f"#{place + 1}" for place, name in enumerate(scorers)}


def _scorers(
    comparison: Comparison,
    letters: dict[str, str],
    described: Sequence[str],
    left: Sequence[str],
) -> Sheet:
    domains = tuple(comparison.tuples)
    counts = ", ".join(f"{domain} {count:,}" for domain, count in comparison.tuples.items())
    over = scope(None, domains)
    average = f"Average over {over}" if len(domains) > 1 else f"{over}"
    notes = [f"{average}, %. {READINGS[comparison.reading]}"]
    notes += left
    notes += [f"{mark}: {text}" for mark, text in zip(letters.values(), described, strict=False)]
    return Sheet(
        title=f"Compared on the {sum(comparison.tuples.values()):,} tuples that all scored "
        f"({counts})",
        header=("Scorer", "Easy", "Normal", "Hard", "Average"),
        rows=tuple(
            (f"{letters[name]}  {name}", *map(share, _accuracies(comparison, name)))
            for name in comparison.scorers
        ),
        notes=tuple(notes),
    )


def _accuracies(comparison: Comparison, name: str) -> list[float]:
    """A scorer's easy, normal, hard and average over all domains, from any pair it is in."""
    pair = next(pair for pair in comparison.pairs if name in (pair.first, pair.second))
    rows = pair.differences[-4:]
    return [row.first if name == pair.first else row.second for row in rows]


def _pair(comparison: Comparison, pair: Pair, one: str, two: str) -> Sheet:
    domains = tuple(comparison.tuples)
    rows = tuple(
        (
            f"{_short(row, domains)} {row.part}",
            share(row.first),
            share(row.second),
            points(row.difference),
            points_range(row.interval),
            chance(row.p_value),
            chance(row.p_holm),
            signed(agreement.kappa.value),
            share(row.detectable),
        )
        for row, agreement in zip(pair.differences, pair.agreements, strict=True)
    )
    return Sheet(
        title=f"{one} {pair.first} against {two} {pair.second}",
        header=("", one, two, f"{one} - {two}", "95 %", "p", "p Holm", "kappa", "could show"),
        rows=rows,
        notes=tuple(verdict(pair, one, two, comparison)),
        strong=3,
        aside=Aside(
            f"{one} and {two}: p of a single test, kappa, what could show", frozenset({5, 7, 8})
        ),
    )


def _short(row: Difference, domains: Sequence[Domain]) -> str:
    """Name a row's domain, or all; marked where they are not the benchmark's."""
    return row.domain or ("all" if is_benchmark(domains) else "all*")


def verdict(pair: Pair, one: str, two: str, comparison: Comparison) -> Iterator[str]:
    """Say in words whether there is evidence of a difference, on average and anywhere."""
    domains = tuple(comparison.tuples)
    row = pair.headline
    where = "on average" if row.domain is None else f"on {row.domain} on average"
    size = f"{points(row.difference)} points"
    if row.interval is not None:
        size += f" ({points_range(row.interval)})"
    if row.evident:
        better = one if row.difference > 0 else two
        yield f"{better} is better {where}: {one} - {two} is {size}, p Holm {chance(row.p_holm)}."
    else:
        text = f"No evidence of a difference {where}: {one} - {two} is {size}, "
        yield f"{text}p Holm {chance(row.p_holm)}.{_what_could_show(row, comparison)}"
    found = [other for other in pair.differences[:-1] if other.evident]
    if found:
        parts = ", ".join(
            f"{_short(other, domains)} {other.part} {points(other.difference)}" for other in found
        )
        yield f"Evidence of a difference in: {parts}."
    elif row.evident:
        yield "No other row has evidence of its own."
    else:
        yield "So the other rows count as undecided: the average is tested first."
    if row.domain is None and not is_benchmark(domains):
        yield f"* {average_over(domains).removeprefix('average ')}."


def _what_could_show(row: Difference, comparison: Comparison) -> str:
    """Say what this run could have shown; by how much its own difference falls short is no news."""
    text = ""
    if row.p_value < ALPHA:
        text = (
            f" By itself p is {chance(row.p_value)}: only the correction for the "
            f"{len(comparison.pairs)} pairs leaves it open."
        )
    if row.detectable is None:
        return text
    return (
        f"{text} These {row.tuples:,} tuples show a true difference of {share(row.detectable)} "
        "points or more four times in five."
    )


def _kappa_cells(pair: Pair, one: str, two: str) -> Sheet:
    return Sheet(
        title=f"Cohen's kappa of {one} and {two}, per cell",
        header=("chosen / rejected", *STYLES),
        rows=tuple(
            (style, *(signed(value) for value in row))
            for style, row in zip(STYLES, pair.cells, strict=True)
        ),
    )


def _disagreements(comparison: Comparison, letters: dict[str, str], top: int) -> Sheet:
    found = comparison.disagreements
    shown = found[:top]
    between = ("most between",) if len(letters) > 2 else ()
    return Sheet(
        title=f"The {_tuples(len(shown))} on which they disagree most, of {len(found):,} on which "
        "they do at all"
        if found
        else "They agree on every tuple",
        header=("Tuple", "Apart", *between, *letters.values()) if shown else (),
        rows=tuple(
            (
                f"{item.domain}/{item.id}",
                share(item.spread),
                *[" and ".join(letters[name] for name in item.apart) for _ in between],
                *map(share, item.accuracies),
            )
            for item in shown
        ),
        notes=(
            "Apart: how far two scorers are apart, mean of the nine cells, %; then each scorer's "
            "accuracy on the tuple. `rmjudge show TUPLE RUN... --replies` shows one, with the "
            "judges' words.",
        )
        if shown
        else (),
    )


def comparison_csv(comparison: Comparison) -> str:
    """Write a row for each part of each domain of each pair; fractions."""
    domains = tuple(comparison.tuples)
    return rows_csv(
        CSV_HEADER,
        (
            (
                *(pair.first, pair.second, scope(row.domain, domains), row.part, row.tuples),
                *(row.first, row.second, row.difference, *_ends(row.interval)),
                *(row.only_first, row.only_second, row.discordant),
                *(precise(row.p_value), row.exact, precise(row.p_holm), row.detectable),
                *(agreement.kappa.value, *_ends(agreement.kappa.interval)),
            )
            for pair in comparison.pairs
            for row, agreement in zip(pair.differences, pair.agreements, strict=True)
        ),
    )


def _ends(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def comparison_json(comparison: Comparison, left: Sequence[str] = ()) -> str:
    """Write everything, every tuple they differ on included; fractions, ASCII.

    `left` says what is not compared.
    """
    domains = tuple(comparison.tuples)
    document: Json = {
        "format": 2,
        "scorers": list(comparison.scorers),
        "reading": comparison.reading,
        "tuples": {str(domain): count for domain, count in comparison.tuples.items()},
        "left_out": {"incomplete": comparison.incomplete, "elsewhere": comparison.elsewhere},
        "notes": list(left),
        "tests": comparison.tests,
        "pairs": [_pair_json(comparison, pair, scope(None, domains)) for pair in comparison.pairs],
        "disagreements": [_disagreement_json(item) for item in comparison.disagreements],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _pair_json(comparison: Comparison, pair: Pair, whole: str) -> Json:
    return {
        "first": pair.first,
        "second": pair.second,
        "evidence": pair.headline.evident,
        "says": " ".join(verdict(pair, pair.first, pair.second, comparison)),
        "differences": [
            {
                "domain": row.domain or whole,
                "part": row.part,
                "tuples": row.tuples,
                "first": row.first,
                "second": row.second,
                "difference": row.difference,
                "interval": interval_to_json(row.interval),
                "only_first": row.only_first,
                "only_second": row.only_second,
                "discordant": row.discordant,
                "p": row.p_value,
                "p_exact": row.exact,
                "p_holm": row.p_holm,
                "evidence": row.evident,
                "detectable": row.detectable,
            }
            for row in pair.differences
        ],
        "kappa": [
            {
                "domain": item.domain or whole,
                "part": item.part,
                "value": item.kappa.value,
                "interval": interval_to_json(item.kappa.interval),
            }
            for item in pair.agreements
        ],
        "kappa_cells": matrix_to_json(pair.cells),
    }


def _disagreement_json(item: Disagreement) -> Json:
    return {
        "domain": item.domain,
        "id": item.id,
        "spread": item.spread,
        "accuracies": list(item.accuracies),
        "apart": list(item.apart),
    }
