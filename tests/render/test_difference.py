"""Where two texts differ, word by word, and how a terminal shows it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from word_differences import CASES

from rmjudge.dataset.template import TUPLE
from rmjudge.render.difference import difference

if TYPE_CHECKING:
    from command import Cli


def marked(one: str, other: str) -> tuple[str, str]:
    first, second = (
        "".join(f"<{piece.text}>" if piece.own else piece.text for piece in side)
        for side in difference(one, other)
    )
    return first, second


@pytest.mark.parametrize(("one", "other", "first", "second"), CASES)
def test_the_words_of_one_side_alone_are_marked(
    one: str, other: str, first: str, second: str
) -> None:
    assert marked(one, other) == (first, second)


@pytest.mark.parametrize("size", [10, 3_000])
def test_the_pieces_of_each_side_are_its_whole_text(size: int) -> None:
    one = "\n".join(f"line {k} of {size}" for k in range(size))
    other = one.replace("line 7 ", "line seven ")
    first, second = difference(one, other)
    assert "".join(piece.text for piece in first) == one
    assert "".join(piece.text for piece in second) == other
    assert [piece for piece in first if piece.own]


@pytest.fixture
def run(cli: Cli) -> Cli:
    evil = {
        **TUPLE,
        "id": 2,
        "chosen": ["\x1b[31mred [bold]x", "b", "c"],
        "rejected": ["d", "b", "f"],
    }
    (cli.home / "mine.json").write_text(json.dumps([{**TUPLE, "id": 1}, evil]))
    assert cli("run", "baseline/length", "--data", "mine.json", "--out", "o").returncode == 0
    return cli


def test_a_wide_terminal_shows_the_pair_side_by_side(run: Cli) -> None:
    shown = run("show", "finance/1", "o", COLUMNS="120").stdout
    assert "The difference, concise" in shown
    (line,) = [line for line in shown.splitlines() if "{+100+} euros." in line]
    assert "[-102.50-] euros." in line


def test_a_narrow_terminal_shows_one_below_the_other(run: Cli) -> None:
    lines = run("show", "finance/1", "o", COLUMNS="80").stdout.splitlines()
    one, other = (
        next(k for k, line in enumerate(lines) if text in line)
        for text in ("{+100+}", "[-102.50-]")
    )
    assert other > one
    assert max(map(len, lines)) <= 80


def test_any_pair_can_be_asked_for(run: Cli) -> None:
    shown = run("show", "finance/1", "o", "--pair", "markdown/detailed").stdout
    assert "The difference, markdown against detailed" in shown
    done = run("show", "finance/1", "o", "--pair", "long")
    assert done.returncode == 2
    assert "'long' is not CHOSEN or CHOSEN/REJECTED, of concise, detailed, markdown" in done.stderr


def test_equal_texts_are_told_and_hostile_ones_are_inert(run: Cli) -> None:
    assert "None: both texts are the same." in run("show", "2", "o", "--pair", "detailed").stdout
    shown = run("show", "2", "o").stdout
    assert "\x1b" not in shown
    assert "[bold]x" in shown
