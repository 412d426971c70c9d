"""What `compare` says in words, for figures that are known."""

from __future__ import annotations

from rmjudge.metrics.tallies import Credits
from rmjudge.render.commands.compare import comparison_csv, comparison_sheets, verdict
from rmjudge.statistics.comparison import Comparison, compare
from rmjudge.statistics.scored import Scored
from rmjudge.vocabulary import TupleKey


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
    # Six tuples for A and none for B: p is 2 / 2^6 = 0.031, and three times that with three pairs.
    three = [scored("a", *[1.0] * 6, 0.0), scored("b", *[0.0] * 7), scored("c", *[0.0] * 7)]
    found = compare(three, "strict")
    assert "p Holm 0.094. By itself p is 0.031: only the correction for the 3 pairs" in said(found)


def test_the_average_of_one_pair_pays_nothing_for_the_other_rows() -> None:
    found = compare([scored("a", *[1.0] * 6, 0.0), scored("b", *[0.0] * 7)], "strict")
    assert "A is better on chat on average" in said(found)
    assert "p Holm 0.031." in said(found)


def test_too_few_tuples_are_told_as_that_and_not_as_the_corrections_doing() -> None:
    found = compare([scored("a", *[1.0] * 5, 0.0), scored("b", *[0.0] * 6)], "strict")
    assert "p Holm 0.062." in said(found)
    assert "correction" not in said(found)
    size = found.pairs[0].headline.detectable
    assert size is not None
    shown = f"6 tuples show a true difference of {100 * size:.1f} points or more four times in five"
    assert shown in said(found)


def test_tuples_that_are_left_out_are_told_first_and_why() -> None:
    first = scored("a", 1.0, 1.0, None, 1.0)
    sheet, table = comparison_sheets(compare([first, scored("b", 1.0, 0.0, 1.0)], "strict"), 1)[:2]
    assert sheet.title == "NOT COMPARED: 2 of 4 tuples (50 %)"
    assert sheet.notes[0].startswith("1 tuple left out: a cell was not scored by every scorer")
    assert sheet.notes[1] == "1 tuple left out: not in every run."
    assert table.title.startswith("Compared on the 2 tuples that all scored")


def test_who_lacks_cells_is_told_what_running_again_can_mend_and_what_not() -> None:
    found = compare([scored("a", 1.0, None), scored("b", 1.0, 0.0)], "strict")
    told = comparison_sheets(found, 1)[0].notes[0]
    assert "Calls that failed or were never sent are made when the run is run again" in told
    assert told.endswith("a reply without a verdict stays one.")


def test_disagreements_lead_to_the_tuple_and_the_judges_words() -> None:
    found = compare([scored("a", 1.0, 1.0), scored("b", 1.0, 0.0)], "strict")
    last = comparison_sheets(found, 10)[-1]
    assert last.title.startswith("The 1 tuple on which they disagree most, of 1 on which")
    assert last.notes[-1].endswith(
        "`rmjudge show TUPLE RUN... --replies` shows one, with the judges' words."
    )


def test_with_nothing_left_out_the_table_comes_first() -> None:
    found = compare([scored("a", 1.0, 1.0), scored("b", 1.0, 0.0)], "strict")
    assert comparison_sheets(found, 1)[0].title.startswith("Compared on the 2 tuples")


def test_a_very_small_p_value_is_no_nought_in_csv() -> None:
    found = compare([scored("a", *[1.0] * 60), scored("b", *[0.0] * 60)], "strict")
    p_value = found.pairs[0].headline.p_value
    assert 0 < p_value < 1e-12
    assert f"{p_value:.9g}" in comparison_csv(found).splitlines()[-1].split(",")
