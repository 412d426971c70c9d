"""What `compare` says in words, for figures that are known."""

from __future__ import annotations

from rmjudge.metrics.tallies import Credits
from rmjudge.render.comparisons import verdict
from rmjudge.statistics.comparison import Comparison, compare
from rmjudge.statistics.scored import Scored, TupleKey


def all_alike(credit: float | None) -> Credits:
    return ((credit,) * 3,) * 3


def scored(name: str, *credits: float | None) -> Scored:
    by_tuple: dict[TupleKey, Credits] = {
        ("chat", number): all_alike(credit) for number, credit in enumerate(credits)
    }
    return Scored(name, "pairwise", by_tuple)


def said(comparison: Comparison) -> str:
    return " ".join(verdict(comparison.pairs[0], "A", "B", comparison))


def test_what_only_the_correction_leaves_open_is_told_as_that() -> None:
    # Six tuples for A and none for B: p is 2 / 2^6 = 0.031, and four times that with Holm.
    found = compare([scored("a", *[1.0] * 6, 0.0), scored("b", *[0.0] * 7)], "strict")
    assert "p Holm 0.125. By itself p is 0.031: only the correction for 4 tests" in said(found)


def test_too_few_tuples_are_told_as_that_and_not_as_the_corrections_doing() -> None:
    found = compare([scored("a", *[1.0] * 5, 0.0), scored("b", *[0.0] * 6)], "strict")
    assert "p Holm 0.250." in said(found)
    assert "correction" not in said(found)
    assert "6 tuples show one of this size four times in five; these 6 did not." in said(found)
