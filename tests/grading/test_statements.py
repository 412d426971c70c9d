"""What a text states as its final answer: at its end, in boxes, and nowhere else."""

from __future__ import annotations

import pytest

from rmjudge.grading.statements import statements, word_of


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ("We add them.\n\nThe answer is 156.", ["156"]),
        ("So it is. The answer is 156.", ["156"]),
        ("### Total\n\n**Answer: 5/18**", ["5/18"]),
        ("**Answer:** 5/18", ["5/18"]),
        ("Final Answer: $\\frac{5}{18}$.", ["$\\frac{5}{18}$"]),
        ("Thus\n\n$$\\boxed{\\frac{5}{18}}$$", ["\\frac{5}{18}"]),
        ("Thus\n\n\\[\n\\boxed{42}\n\\]", ["42"]),
        ("So $x = \\boxed{42}$.", ["42"]),
        ("It is \\boxed{42}.\n\nAnswer: 42", ["42"]),
        ("It is \\boxed{41}.\n\nAnswer: 42", ["41", "42"]),
        ("## Final answer\n\n156", ["156"]),
        ("The answer to the first part is 3. The answer is 4.", ["4"]),
        ("42", ["42"]),
        ("The correct answer is (B) 12 m.", ["(B) 12 m"]),
    ],
)
def test_what_stands_at_the_end_or_in_a_box_is_stated(text: str, stated: list[str]) -> None:
    assert list(statements(text)) == stated


@pytest.mark.parametrize(
    "text",
    [
        "",
        "We add them\n\nand get to the end.",
        "The answer is 5. No, wait, it is 6.",
        "Answer: 5\n\nThis holds for all of them.",
        "It is \\boxed{5}.\n\nBut that is wrong.",
        "It is \\boxed{5} or more.",
        "It is \\boxed{5",
        "The answer is 5!",
        "Is the answer 5?",
    ],
)
def test_what_may_be_taken_back_or_read_in_two_ways_is_not_stated(text: str) -> None:
    assert statements(text) == ()


@pytest.mark.parametrize(
    ("words", "word"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("$\\text{(B)}$", "B"),
        ("B. twelve", "B"),
        ("Yes.", "yes"),
        ("FALSE", "false"),
        ("K", None),
        ("A dog", None),
        ("B) 12. But C", None),
        ("12", None),
        ("", None),
    ],
)
def test_letters_and_pairs_of_words_are_answers(words: str, word: str | None) -> None:
    found = word_of(words)
    assert (found and found[0]) == word
