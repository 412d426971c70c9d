"""The file that says how far a run is, and what is left of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from rmjudge.runs.files import PROGRESS
from rmjudge.runs.underway import (
    ScorerProgress,
    clear_underway,
    find_underway,
    write_underway,
)

ONE = ScorerProgress("openai/judge", 36, 12, "2 cached, 1.0/s", "Easy 50 Normal 50 Hard 50")


def test_what_is_written_is_read_back_from_the_folder_and_from_above(tmp_path: Path) -> None:
    write_underway(tmp_path / "runs/one", [ONE])
    for folder in (tmp_path / "runs/one", tmp_path / "runs"):
        (found,) = find_underway(folder)
        assert found.scorers == (ONE,)
        assert abs(time.time() - found.told) < 60


def test_a_run_without_results_leaves_no_folder(tmp_path: Path) -> None:
    write_underway(tmp_path / "o", [ONE])
    clear_underway(tmp_path / "o")
    assert not (tmp_path / "o").exists()


def test_results_stay_and_a_folder_that_was_never_told_of_stays(tmp_path: Path) -> None:
    write_underway(tmp_path / "o", [ONE])
    (tmp_path / "o/metrics.json").write_text("{}")
    clear_underway(tmp_path / "o")
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["metrics.json"]
    (tmp_path / "empty").mkdir()
    clear_underway(tmp_path / "empty")
    assert (tmp_path / "empty").is_dir()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"scorers": [{}]}', '{"scorers": [{"planned": "x"}]}']
)
def test_a_damaged_file_is_no_run_under_way(tmp_path: Path, text: str) -> None:
    (tmp_path / PROGRESS).write_text(text)
    assert find_underway(tmp_path) == []


def test_a_folder_that_cannot_be_written_costs_the_run_nothing(tmp_path: Path) -> None:
    (tmp_path / "o").write_text("a file")
    write_underway(tmp_path / "o", [ONE])
    assert (tmp_path / "o").read_text() == "a file"
