"""Answers are equal, different, unread or too slow to compare; only a sure difference is one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest

from rmjudge.errors import UsageError
from rmjudge.grading.grader import Grader

REWARDMATH = Path(__file__).resolve().parents[3] / "shared/data/rewardmath/RewardMATH_direct.json"

pytest.importorskip("math_verify", reason="math-verify is not installed: rmjudge[build]")


@pytest.fixture(scope="module")
def grader() -> Iterator[Grader]:
    found = Grader()
    yield found
    found.close()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1/2", "0.5"),
        ("5/18", r"\frac{5}{18}"),
        (r"1\frac{1}{2}", "1.5"),
        ("½", "0.5"),
        ("√18", r"3\sqrt{2}"),
        ("3√2", "sqrt(18)"),
        (r"\sqrt[3]{20+14\sqrt{2}}+\sqrt[3]{20-14\sqrt{2}}", "4"),
        ("2π", r"2\pi"),
        ("\N{MINUS SIGN}3", "-3"),
        ("1,234.5", "1234.5"),
        (r"11,\!111", "11111"),
        (r"1\,000", "1000"),
        ("1e-3", "10^-3"),
        ("1.5 \N{MULTIPLICATION SIGN} 10^3", "1500"),
        ("2³", "8"),
        ("5!", "120"),
        (r"\binom{5}{2}", "10"),
        ("x = 5", "5"),
        ("60 + 96 = 156", "156"),
        ("x=1, x=2", "x=2, x=1"),
        (r"\pm 5", "-5, 5"),
        ("1, 2, 3", "3, 2, 1"),
        (r"(3, \frac{\pi}{2})", r"\left(3,\pi/2\right)"),
        ("[-2,7]", "[-2, 7]"),
        ("y=2x+3", "y=3+2x"),
        ("x^2+2x", "x(x+2)"),
        ("n(n+1)/2", r"\frac{n^2+n}{2}"),
        ("i^2", "-1"),
        ("$66", r"\$66"),
        ("50%", r"50\%"),
        ("90°", r"90^\circ"),
        ("5 cm", r"5\text{ cm}"),
        ("60 km/h", r"60 \text{ km/h}"),
        ("A", "(A)"),
    ],
)
def test_one_value_in_two_spellings_is_equal(grader: Grader, one: str, other: str) -> None:
    assert grader.compare(one, other) == "equal"
    assert grader.compare(other, one) == "equal"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("156", "180"),
        ("5/18", "1/3"),
        ("2π", "7"),
        ("3√2", "4"),
        ("-3", "3"),
        ("100000000000000000001", "100000000000000000000"),
        ("x=5", "x=6"),
        ("x=1, y=2", "x=2, y=1"),
        ("1, 2, 3", "1, 2, 4"),
        ("5, 6", "5"),
        ("(1, 2)", "(2, 1)"),
        ("[-2,7]", "[-2,8]"),
        (r"(-\infty, 3)", r"(-\infty, 4)"),
        ("x > 3", "x > 4"),
        ("y=2x+3", "y=2x+4"),
        ("x^2+2x", "x^2+2x+1"),
        ("2+3i", "2-3i"),
        ("5 cm", "6 cm"),
        ("A", "B"),
        ("yes", "No"),
    ],
)
def test_two_values_are_different(grader: Grader, one: str, other: str) -> None:
    assert grader.compare(one, other) == "different"
    assert grader.compare(other, one) == "different"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 million", "5"),  # another unit, or one on one side alone
        ("5 cm", "0.05 m"),
        ("$18", "18"),
        ("50%", "0.5"),
        ("12 dozen", "12"),
        ("1 000", "1"),  # two ways to read it
        ("1.000", "1000"),
        ("0,5", "5"),
        ("1 1/2", "1"),
        ("12:30", "12"),
        ("101_2", "101"),
        ("1/2x", "2"),
        (r"\log 100", "7"),
        (r"\sin 30^\circ", "2"),
        ("5...", "6"),
        ("about 5", "6"),
        ("5 or 6", "7"),
        ("5 metres and a bit more", "6 metres and a bit more"),
        ("5-7 m", "6"),
        ("0.33", "1/3"),  # one of them may be rounded
        ("3.14", "π"),
        ("10.4", "10"),
        ("0.75", "75"),
        ("Evelyn", "Briana"),  # words
        ("twelve", "13"),
        ("12", "B"),
        ("x", "5"),  # a letter that the other has not
        ("t+1", "x+2"),
        ("|x|", "x"),
        ("1/0", "5"),
        ("(1,234)", "1"),
        ("", "5"),
        ("3ab", "ab+3"),
        ("__import__('os').getcwd()", "5"),
        ("9" * 300, "5"),
    ],
)
def test_what_is_not_surely_read_is_no_difference(grader: Grader, one: str, other: str) -> None:
    assert grader.compare(one, other) == "unread"
    assert grader.compare(other, one) == "unread"


def test_what_takes_too_long_is_slow_and_the_next_answer_is_read() -> None:
    grader = Grader(seconds=8)
    try:
        grader.compare("1", "2")
        assert grader.compare("10^{10^{10^{10}}}", "5") == "slow"
        assert grader.compare("7+10^{10^8}-10^{10^8}", "7") in ("equal", "slow")
        assert grader.compare("1/2", "0.5") == "equal"
    finally:
        grader.close()


def test_without_math_verify_the_command_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rmjudge.grading.grader.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'rmjudge\[build\]'"):
        Grader()


def test_fractions_compare_as_pythons_own_do(grader: Grader) -> None:
    draw = random.Random(7)
    numbers = [Fraction(draw.randint(-9, 9), draw.randint(1, 9)) for _ in range(12)]
    for one in numbers:
        for other in numbers:
            mixed = f"\\frac{{{other.numerator}}}{{{other.denominator}}}"
            expected = "equal" if one == other else "different"
            assert grader.compare(str(one), mixed) == expected, (one, other)


def test_a_text_that_states_two_answers_is_unread(grader: Grader) -> None:
    assert grader.grade("It is \\boxed{0.5}.\n\nAnswer: 1/2", "1/2") == "equal"
    assert grader.grade("It is \\boxed{0.6}.\n\nAnswer: 1/2", "1/2") == "unread"
    assert grader.grade("**Answer: 5/18**", "5/18") == "equal"
    assert grader.grade("**Answer: 5**", "5/18") == "different"


def test_answers_that_nothing_can_be_compared_with_are_named(grader: Grader) -> None:
    known = ["5", "B", "Evelyn", r"\frac{1}", "x^2", "[0,1)"]
    assert grader.unreadable(known) == ["Evelyn", r"\frac{1}"]


@pytest.mark.skipif(not REWARDMATH.exists(), reason="needs ../shared/data")
def test_what_people_labelled_is_never_graded_the_other_way(grader: Grader) -> None:
    wrong_verdict = {"chosen": "different", "rejected": "equal"}
    read = 0
    for item in json.loads(REWARDMATH.read_text("utf-8")):
        verdict = grader.grade("\n".join(item["eval_solution"]), item["answer"])
        assert verdict != wrong_verdict[item["solution_type"]], item["id"]
        read += verdict in ("equal", "different")
    assert read >= 16
