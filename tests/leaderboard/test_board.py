"""A group's own board: runs become rows, newer ones replace older ones, the file is checked."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from rmjudge import UsageError
from rmjudge.leaderboard.board import board_text, read_board

ROW = """\
format = 1
title = "Our \\u00fcbermodels"
[[model]]
name = "ours"
scorer = "hf/ours"
data = "d"
tuples = 1327
unscored_cells = 0
easy = 0.9
normal = 0.8
hard = 0.7
overall = 0.8
note = "trained in May"
"""


def save(folder: Path, text: str) -> Path:
    path = folder / "team.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    board = read_board(save(tmp_path, ROW))
    (row,) = board.rows
    assert (board.title, row.name, row.figures.hard, row.figures.chat) == (
        "Our übermodels",
        "ours",
        0.7,
        None,
    )
    assert (row.entry.average, row.entry.is_run, row.entry.unranked) == (0.8, True, "")
    text = board_text(board)
    assert text.isascii()
    assert tomllib.loads(text) == tomllib.loads(ROW)


def test_a_file_that_is_not_there_is_an_empty_board(tmp_path: Path) -> None:
    board = read_board(tmp_path / "team.toml")
    assert (board.title, board.rows) == ("team", ())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("format = 1", "format = 2"), "format = 2; this version reads 1"),
        (("format = 1", "= 1"), "is no board of rmjudge"),
        (('scorer = "hf/ours"\n', ""), "[[model]] number 1: scorer is missing"),
        (("tuples = 1327", 'tuples = "all"'), "tuples is missing, or no int"),
        (("hard = 0.7", "hard = 70"), "hard = 70 is no fraction from 0 to 1"),
        (("hard = 0.7", "hard = nan"), "hard = nan is no fraction from 0 to 1"),
        (("hard = 0.7", 'hard = "x"'), "hard is no number"),
        (("[[model]]", "[model]"), "model is no list of tables"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_board(save(tmp_path, ROW.replace(*change)))
    assert told in str(caught.value)
    assert "team.toml" in str(caught.value)
