"""The file of a run's complete tuples, and the numbers that are made of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmjudge.metrics.report import Design
from rmjudge.metrics.tallies import ALL_ASKED
from rmjudge.runs.results import TupleResult
from rmjudge.runs.so_far import (
    SO_FAR,
    SoFar,
    append_so_far,
    asked_line,
    begin_so_far,
    find_so_far,
    tuple_line,
)

LOST = ((0.0,) * 3,) * 3
WON = ((1.0,) * 3,) * 3
DIAGONAL = tuple(tuple(row == column for column in range(3)) for row in range(3))


def judge(asked: int = 4, cells: tuple[tuple[bool, ...], ...] = ALL_ASKED) -> SoFar:
    tuples = (("chat", cells),) * asked + (("math", cells),) * asked
    return SoFar("openai/judge", "pairwise", "seeded", tuples, Design(cells=sum(map(sum, cells))))


def told(folder: Path, about: SoFar, *items: tuple[int, TupleResult]) -> None:
    begin_so_far(folder)
    append_so_far(folder, [asked_line(0, about)])
    append_so_far(folder, [tuple_line(0, place, item) for place, item in items])


def test_what_is_told_is_read_back_from_the_folder_and_from_above(tmp_path: Path) -> None:
    item = TupleResult(7, "chat", "open-qa", matrix=WON)
    told(tmp_path / "runs/one", judge(), (1, item))
    for folder in (tmp_path / "runs/one", tmp_path / "runs"):
        (found,) = find_so_far(folder)
        assert (found.scorer, found.asked, found.complete) == (
            "openai/judge",
            judge().asked,
            {1: item},
        )


def test_numbers_are_of_complete_tuples_and_the_others_have_no_score() -> None:
    about = judge()
    about.complete = {
        0: TupleResult(1, "chat", None, matrix=WON),
        2: TupleResult(3, "chat", None, matrix=LOST),
        3: TupleResult(4, "chat", None, matrix=LOST),
    }
    metrics = about.result().metrics
    assert metrics.headline.hard == pytest.approx(1 / 3)
    assert list(metrics.domains) == ["chat"], "nothing is known of math"
    assert (metrics.unscored_cells, metrics.asked_cells) == (9, 36)
    assert (metrics.bounds.low, metrics.bounds.high) == pytest.approx((1 / 4, 2 / 4))


def test_cells_that_are_never_asked_are_not_missing() -> None:
    about = judge(2, DIAGONAL)
    row = ((1.0, None, None), (None, 1.0, None), (None, None, 0.0))
    about.complete = {0: TupleResult(1, "chat", None, matrix=row)}
    metrics = about.result().metrics
    assert (metrics.unscored_cells, metrics.asked_cells) == (3, 6)


def test_a_line_that_is_being_written_costs_only_itself(tmp_path: Path) -> None:
    first, second = (TupleResult(number, "chat", None, matrix=WON) for number in (1, 2))
    told(tmp_path, judge(), (0, first), (1, second))
    path = tmp_path / SO_FAR
    path.write_text(path.read_text()[:-9])
    (found,) = find_so_far(tmp_path)
    assert found.complete == {0: first}


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        '{"of": 3, "place": 0}',
        '{"of": 0, "place": 99, "id": 1, "domain": "chat", "subset": null, "matrix": null}',
        '{"of": 0, "place": 0, "id": 1, "domain": "math", "subset": null, "matrix": null}',
        '{"of": 1, "tuples": [["chat", "11"]]}',
    ],
)
def test_damaged_lines_are_no_tuples(tmp_path: Path, line: str) -> None:
    told(tmp_path, judge())
    append_so_far(tmp_path, [line + "\n"])
    assert [one.complete for one in find_so_far(tmp_path)] == [{}]


def test_a_new_run_begins_the_file_anew(tmp_path: Path) -> None:
    told(tmp_path, judge(), (0, TupleResult(1, "chat", None, matrix=WON)))
    told(tmp_path, judge())
    assert find_so_far(tmp_path)[0].complete == {}
