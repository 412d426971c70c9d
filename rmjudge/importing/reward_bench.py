"""Files of reward-bench, run on RM-Bench's tuples.

Source: `run_rm.py`, `run_generative.py` and `run_v2.py` of allenai/reward-bench (columns, one of
them the ids), and the command `rewardbench --save_all` (lines with two scores).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rmjudge.dataset.tuples import DataSet
from rmjudge.errors import UsageError
from rmjudge.importing.domains import domain_of, subset_of
from rmjudge.importing.files import Item, ResultFile
from rmjudge.importing.numbers import credit, score, scores
from rmjudge.planning.plan import Scores
from rmjudge.runs.results import TupleResult
from rmjudge.text import printable
from rmjudge.vocabulary import CELLS, PUBLISHED_DOMAINS, STYLES


def read_pairs(files: Sequence[ResultFile], domain: str | None) -> Iterator[TupleResult]:
    """A row a pair: an id's three rows are the styles, its nine rows the cells, row by row."""
    groups: dict[tuple[str, int | str], list[Item]] = {}
    for file in files:
        for item in file.items:
            named = domain_of(item, file, domain, subset=True)
            groups.setdefault((named, item.id_in(named)), []).append(item)
    for (named, id), rows in groups.items():
        scored = "scores_chosen" in rows[0].fields
        expected = (3, 9) if scored else (9,)
        if len(rows) not in expected:
            pairs = "3 (a pair a style) or 9 (a pair a cell)" if scored else "9 (a pair a cell)"
            once = all(len(group) == 1 for group in groups.values())
            hint = (
                "; every id stands in one row, as in RewardBench's own data, which is another "
                "benchmark; the pairs of an RM-Bench tuple need the tuple's id"
                if once
                else ""
            )
            count = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
            raise rows[0].wrong(f"the id has {count} in domain {named}; expected {pairs}{hint}")
        base = (id, PUBLISHED_DOMAINS[named], subset_of(rows[0], named))
        if scored:
            yield TupleResult(*base, *_scores_of(rows))
        else:
            found = [credit(row, "results", row.fields.get("results")) for row in rows]
            yield TupleResult(
                *base, matrix=tuple(tuple(found[3 * i : 3 * i + 3]) for i in range(3))
            )


def _scores_of(rows: Sequence[Item]) -> tuple[Scores, Scores]:
    cells = CELLS if len(rows) == 9 else tuple((k, k) for k in range(3))
    sides: tuple[dict[int, float | None], dict[int, float | None]] = ({}, {})
    for row, styles in zip(rows, cells, strict=True):
        for side, name, style in zip(
            sides, ("scores_chosen", "scores_rejected"), styles, strict=True
        ):
            if name not in row.fields:
                raise row.wrong(f"{name} is missing; expected a number")
            value = score(row, name, row.fields[name])
            if style in side and side[style] != value:
                raise row.wrong(
                    f"{name} is {value}, and {side[style]} in an earlier row for the same response "
                    f"({STYLES[style]}); are the nine rows in the order of the cells?"
                )
            side[style] = value
    chosen, rejected = ((side[0], side[1], side[2]) for side in sides)
    return chosen, rejected


def read_best_of(files: Sequence[ResultFile], domain: str | None) -> Iterator[TupleResult]:
    """RewardBench 2: a row a tuple with six `scores`, the chosen before the rejected."""
    for file in files:
        for item in file.items:
            values = item.fields.get("scores")
            count = len(values) if isinstance(values, list) else 0
            if not isinstance(values, list) or count != 6:
                raise item.wrong(
                    f"scores has {count} values; expected 6: an RM-Bench tuple has three chosen "
                    "and three rejected; RewardBench 2's own data is another benchmark"
                )
            named = domain_of(item, file, domain, subset=True)
            yield TupleResult(
                item.id_in(named),
                PUBLISHED_DOMAINS[named],
                subset_of(item, named),
                scores(item, "scores", values[:3]),
                scores(item, "scores", values[3:]),
            )


def read_lines(
    files: Sequence[ResultFile], domain: str | None, data: DataSet | None
) -> Iterator[TupleResult]:
    """`rewardbench --save_all`: a line a pair and no id, so a file a style, in data-set order."""
    if data is None:
        raise UsageError(
            f"{printable(str(files[0].path))}: the lines have no ids; name the data they are about "
            "with --data, and the three files in the order concise, detailed, markdown"
        )
    if len(files) != 3:
        raise UsageError(
            f"rewardbench --save_all writes a file a style, and {len(files)} of the three are "
            "named; name them in the order concise, detailed, markdown"
        )
    if domain is not None:
        data = data.select((PUBLISHED_DOMAINS[domain],))
    for file in files:
        if len(file.items) != len(data):
            raise UsageError(
                f"{printable(str(file.path))}: {len(file.items)} lines for the {len(data)} tuples "
                "of the data; the file and the data must be of one set"
            )
    for k, known in enumerate(data):
        rows = [file.items[k] for file in files]
        chosen, rejected = (_side(rows, name) for name in ("chosen", "rejected"))
        yield TupleResult(known.id, known.domain, known.subset, chosen, rejected)


def _side(rows: Sequence[Item], name: str) -> Scores:
    one, two, last = (score(row, name, row.fields.get(name)) for row in rows)
    return one, two, last
