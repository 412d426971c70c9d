"""The blind word test: on made tuples, and on real ones beside an independent program."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmjudge.dataset import BenchTuple, DataSet, load
from rmjudge.statistics.baselines import longer_wins
from rmjudge.statistics.wording import FEWEST, word_tests

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "rm-bench"


def data(tuples: int, chosen: str = "fine", rejected: str = "let's break it down") -> DataSet:
    """Tuples whose sides differ in a few words, beside words that are each tuple's own."""
    items = []
    for n in range(tuples):
        one, other = f"alpha{n} {chosen}", f"alpha{n} {rejected}"
        items.append(BenchTuple(n, "finance", None, "p", (one, one, "same"), (other, one, "same")))
    return DataSet("d", tuple(items))


def test_words_of_one_side_tell_and_equal_texts_do_not() -> None:
    tests = word_tests(data(FEWEST))["finance"]
    assert (tests["concise"].share, tests["concise"].telling) == (1.0, True)
    assert (tests["detailed"].share, tests["detailed"].telling) == (0.5, False)
    assert tests["markdown"].share == 0.5


def test_a_domain_of_few_tuples_is_not_tested() -> None:
    assert word_tests(data(FEWEST - 1)) == {}


def test_words_that_each_tuple_has_for_itself_tell_nothing() -> None:
    items = tuple(
        BenchTuple(n, "chat", None, "p", ("x" * (n + 1),) * 3, ("y" * (n + 1),) * 3)
        for n in range(FEWEST)
    )
    assert word_tests(DataSet("d", items))["chat"]["concise"].share == 0.5


@pytest.mark.parametrize(
    ("file", "shares"),
    [
        ("chat_filtered.json", (0.533, 0.922, 0.957)),
        ("safety-refuse_filtered.json", (1.0, 0.995, 1.0)),
    ],
)
def test_real_data_has_the_shares_of_an_independent_program(
    file: str, shares: tuple[float, ...]
) -> None:
    if not SHARED.exists():
        pytest.skip("the real data lies beside the project only where it is developed")
    (tests,) = word_tests(load([SHARED / file])).values()
    for found, share in zip(tests.values(), shares, strict=True):
        assert found.share == pytest.approx(share, abs=0.01)  # it has another notion of a word


def test_the_longer_one_wins_as_often_as_counted_by_hand() -> None:
    items = (
        BenchTuple(1, "chat", None, "p", ("a", "aaa", "aaaaa"), ("aa", "aaaa", "aaaaa")),
        BenchTuple(2, "chat", None, "p", ("aaa", "aaaa", "aaaaa"), ("a", "aa", "aaaaa")),
    )
    found = longer_wins(DataSet("d", items))["chat"]
    assert [found.easy, found.normal, found.hard] == pytest.approx([1.0, 2 / 6, 1 / 6])
