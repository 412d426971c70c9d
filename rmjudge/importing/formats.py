"""The formats there are, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rmjudge.dataset.tuples import DataSet
from rmjudge.errors import UsageError
from rmjudge.importing import reward_bench, rm_bench, rm_r1
from rmjudge.importing.files import Format, ResultFile
from rmjudge.runs.results import TupleResult
from rmjudge.vocabulary import Domain

JUDGE_NOTES: Final[Mapping[Format, str]] = {
    "rm-r1": "in RM-R1's files a reply that could not be read is a loss, and looks like one",
    "reward-bench": "in reward-bench's files a tie and a verdict that could not be read are 0.5",
}
"""What a judge's file no longer tells: its failures are results."""


def read_tuples(
    files: Sequence[ResultFile], domain: str | None, data: DataSet | None
) -> tuple[TupleResult, ...]:
    """Read files of one format.

    Raises:
        UsageError: something in them is missing or wrong, or a tuple occurs twice.
    """
    found = tuple(_read(files, domain, data))
    _check_ids(found)
    if len({item.matrix is None for item in found}) > 1:
        raise UsageError("some rows hold scores and some the results of a judge; import them apart")
    return found


def _read(
    files: Sequence[ResultFile], domain: str | None, data: DataSet | None
) -> Iterator[TupleResult]:
    match files[0].format:
        case "rm-bench":
            return rm_bench.read(files, domain)
        case "rm-r1":
            return rm_r1.read(files, domain)
        case "reward-bench":
            return reward_bench.read_pairs(files, domain)
        case "reward-bench-2":
            return reward_bench.read_best_of(files, domain)
        case "rewardbench-all":
            return reward_bench.read_lines(files, domain, data)


def _check_ids(found: Sequence[TupleResult]) -> None:
    seen: set[tuple[Domain, str]] = set()
    for item in found:
        if (item.domain, str(item.id)) in seen:
            raise UsageError(
                f"tuple {item.id!r} occurs twice in domain {item.domain}; an id is unique only "
                "with its domain: is a domain named wrongly, or a file named twice?"
            )
        seen.add((item.domain, str(item.id)))
