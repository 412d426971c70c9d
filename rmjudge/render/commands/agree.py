"""`rmjudge agree`: scorers against people, as tables, JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from rmjudge.calls import Json
from rmjudge.metrics.codec import interval_to_json
from rmjudge.metrics.report import Interval
from rmjudge.render.csvrows import rows_csv
from rmjudge.render.figures import NO_DATA, ends, share, signed, signed_ends
from rmjudge.render.sheets import Sheet
from rmjudge.statistics.people import WINNERS, Agreement, Held, People

NOTES: Final = (
    "Accuracy: the share of labels that name the scorer's winner; a tie is met by a tie alone. "
    "A label of a whole tuple is held against the majority of its scored cells. 95 % intervals, "
    "with the tuple as their unit.",
    "Kappa takes off what two would agree on by chance, given how often each names which winner: "
    "where people nearly always prefer one side, accuracy is high for nothing, and kappa is not.",
    "More: labels of new tuples that would make the interval of the accuracy so narrow.",
)
CSV_HEADER: Final = (
    *("scorer", "part", "tuples", "labels", "accuracy", "low", "high"),
    *("kappa", "kappa_low", "kappa_high", "labels_wanted", "unscored"),
)


def agree_sheets(
    people: People, held: Sequence[Held], width: float, remarks: Sequence[str]
) -> list[Sheet]:
    """Lay out each scorer against the labels, then the people among each other."""
    rows = tuple(
        (
            one.name,
            row.part or "all",
            f"{row.tuples:,}",
            f"{row.labels:,}",
            share(row.accuracy) + ends(row.interval),
            signed_ends(row.kappa.value, row.kappa.interval),
            _more(row),
        )
        for one in held
        for row in one.agreements
    )
    return [
        Sheet(
            "Agreement with people",
            ("", "", "Tuples", "Labels", "Accuracy, %", "Kappa", f"More for ±{width:g}"),
            rows,
            (*_unscored(held), *remarks, *NOTES),
            names=2,
        ),
        _people_sheet(people, held),
    ]


def _more(row: Agreement) -> str:
    if row.wanted is None:
        return NO_DATA
    return f"{max(0, row.wanted - row.labels):,}"


def _unscored(held: Sequence[Held]) -> Iterator[str]:
    for one in held:
        if not one.agreements:
            yield f"{one.name}: has scored nothing that is labelled."
        elif one.unscored:
            yield f"{one.name}: {one.unscored:,} labels are of what it has not scored."


def _people_sheet(people: People, held: Sequence[Held]) -> Sheet:
    count = len(people.annotators)
    who = "1 annotator" if count == 1 else f"{count} annotators"
    shares = ", ".join(f"{name} {share(people.shares[name])} %" for name in WINNERS)
    title = f"The people: {who}, {people.labels:,} labels of {people.tuples:,} tuples"
    notes = [
        f"Labels: {shares}. Always naming the commonest gets {share(people.base_rate)} % (the base "
        "rate).",
    ]
    if people.ceiling is None:
        notes.append(
            "No two people have labelled the same, so that nothing says how far people agree: have "
            "a part of the tuples labelled twice."
        )
        return Sheet(title, notes=tuple(notes))
    rows = [
        (
            "people among each other",
            f"{people.twice:,}",
            share(people.ceiling) + ends(people.ceiling_interval),
            signed_ends(people.alpha.value, people.alpha.interval),
        )
    ]
    rows += [
        (
            one.name,
            f"{people.twice:,}",
            share(one.shared.accuracy) + ends(one.shared.interval),
            signed(None),
        )
        for one in held
        if one.shared is not None
    ]
    notes.append(
        "The ceiling: how often two people agree on what both labelled. A scorer's accuracy on the "
        "same stands below; one above the ceiling agrees with a person as well as people do."
    )
    return Sheet(
        title,
        ("", "Labelled by several", "Agreement, %", "Krippendorff's alpha"),
        tuple(rows),
        tuple(notes),
    )


def agree_csv(held: Sequence[Held]) -> str:
    """Write a row for each scorer and part; fractions."""
    return rows_csv(
        CSV_HEADER,
        (
            (
                *(one.name, row.part or "all", row.tuples, row.labels, row.accuracy),
                *_two(row.interval),
                row.kappa.value,
                *_two(row.kappa.interval),
                row.wanted,
                one.unscored,
            )
            for one in held
            for row in one.agreements
        ),
    )


def _two(interval: Interval | None) -> tuple[float | None, float | None]:
    return (None, None) if interval is None else (interval.low, interval.high)


def agree_json(people: People, held: Sequence[Held], width: float, remarks: Sequence[str]) -> str:
    """Write everything; fractions."""
    document: Json = {
        "format": 1,
        "remarks": list(remarks),
        "people": {
            "annotators": list(people.annotators),
            "labels": people.labels,
            "tuples": people.tuples,
            "shares": {name: people.shares[name] for name in WINNERS},
            "base_rate": people.base_rate,
            "labelled_by_several": people.twice,
            "ceiling": people.ceiling,
            "ceiling_interval": interval_to_json(people.ceiling_interval),
            "alpha": people.alpha.value,
            "alpha_interval": interval_to_json(people.alpha.interval),
        },
        "width": width / 100,
        "scorers": [
            {
                "scorer": one.name,
                "unscored_labels": one.unscored,
                "where_several_labelled": _row(one.shared) if one.shared else None,
                "agreements": [_row(row) for row in one.agreements],
            }
            for one in held
        ],
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _row(row: Agreement) -> Json:
    return {
        "part": row.part,
        "tuples": row.tuples,
        "labels": row.labels,
        "accuracy": row.accuracy,
        "interval": interval_to_json(row.interval),
        "kappa": row.kappa.value,
        "kappa_interval": interval_to_json(row.kappa.interval),
        "labels_wanted": row.wanted,
    }
