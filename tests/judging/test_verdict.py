# ruff: noqa: RUF001  letters that look alike are what is tested
r"""Reading a judge's reply: the last well-formed verdict that a person would see, or none."""

from __future__ import annotations

import pytest

from rmjudge.calls import Unscored, Verdict
from rmjudge.judging.verdict import (
    parse_any_verdict,
    parse_letter_verdict,
    parse_verdict,
    strip_reasoning,
)

A, TIE, B = 1.0, 0.5, 0.0

WELL_FORMED = [
    (r"\boxed{A>>B}", A),
    (r"\boxed{A>B}", A),
    (r"\boxed{A=B}", TIE),
    (r"\boxed{B>A}", B),
    (r"\boxed{B>>A}", B),
    (r"\boxed{B=A}", TIE),
    (r"\boxed{ A >> B }", A),
    (r"\boxed {A>B}", A),
    (r"\boxed{a>b}", A),
    (r"\boxed{a\ggb}", A),
    (r"\boxed{A<B}", B),
    (r"\boxed{A＞B}", A),
    (r"\Boxed{A>B}", A),
    (r"boxed{A>B}", A),
    (r"\boxed{A \gg B}", A),
    (r"\boxed{B\gg A}", B),
    (r"\boxed{A\ggB}", A),
    (r"\boxed{B \gt A}", B),
    (r"\boxed{\text{A>B}}", A),
    (r"$\boxed{B>A}$", B),
    (r"**\boxed{B>A}**", B),
    (r"`\boxed{A=B}`.", TIE),
    (r"My verdict: \boxed{A>B}, without doubt.", A),
    ("\\boxed{A>B}\r\n", A),
    ("\\boxed{A>B}\n\nI hope this helps!", A),
    ("比较之后，我认为助手 B 更好。\n\n\\boxed{B>>A}", B),
    ("Ответ А хуже. Вердикт: \\boxed{B>A}", B),
    ("الإجابة الأولى أفضل \u200f\\boxed{A>B}", A),
    ("\ud800 \x00 \\boxed{A>B}", A),
]

NO_VERDICT = [
    "",
    " \n\t\n",
    "A is better.",
    "A>B",
    "[[A]]",
    "[[A>B]]",
    r"\boxed{A}",
    r"\boxed{42}",
    r"\boxed{}",
    r"\boxed{A>A}",
    r"\boxed{B=B}",
    r"\boxed{A>>>B}",
    r"\boxed{A>B",
    r"\boxed{A>C}",
    r"\boxed{A>B>A}",
    r"\boxed{A>B or B>A}",
    r"\boxed{А>В}",
    '{"verdict": "A"}',
    "I'm sorry, but I can't compare these responses.",
]


@pytest.mark.parametrize(("answer", "credit"), WELL_FORMED)
def test_a_well_formed_verdict_is_read(answer: str, credit: float) -> None:
    assert parse_verdict(answer) == Verdict(credit)


@pytest.mark.parametrize("answer", NO_VERDICT)
def test_what_is_not_well_formed_is_no_verdict(answer: str) -> None:
    found = parse_verdict(answer)
    assert isinstance(found, Unscored)
    assert found.status == "unparsed"


def test_the_last_verdict_wins() -> None:
    assert parse_verdict("First \\boxed{B>A}.\nNo, on reflection:\n\\boxed{A>B}") == Verdict(A)


@pytest.mark.parametrize("last", ["\\boxed{A>A}", "\\boxed{7}", "\\boxed{A>B", "\\boxed{A≥B}"])
def test_an_earlier_verdict_is_never_taken_instead_of_one_that_is_not_understood(
    last: str,
) -> None:
    found = parse_verdict(f"\\boxed{{B>A}}\n{last}")
    assert isinstance(found, Unscored)
    assert found.detail.startswith("no verdict is understood in the last line that has one")


@pytest.mark.parametrize(
    ("last", "credit"), [("A<<B", B), ("B < A", A), ("A&lt;B", B), ("B ≻ A", B)]
)
def test_after_all_five_forms_a_verdict_on_a_line_of_its_own_is_read(
    last: str, credit: float
) -> None:
    forms = "\n".join(rf"\boxed{{{form}}}" for form in ("A>>B", "A>B", "A=B", "B>A", "B>>A"))

    assert parse_verdict(f"{forms}\n\n\\boxed{{{last}}}") == Verdict(credit)
    assert isinstance(parse_verdict(forms), Unscored)


def test_both_letters_in_quotes_before_the_final_verdict_do_no_harm() -> None:
    answer = (
        'Response A ends with "\\boxed{A>>B}" and response B with "\\boxed{B>>A}".\n'
        "Neither counts. Response B is correct.\n"
        "\\boxed{B>A}"
    )
    assert parse_verdict(answer) == Verdict(B)


def test_a_contradiction_in_the_last_line_is_no_verdict() -> None:
    found = parse_verdict("\\boxed{A>B}\nEither \\boxed{A>B} or \\boxed{B>A}.")
    assert isinstance(found, Unscored)
    assert found.detail == "contradictory verdicts: Either \\boxed{A>B} or \\boxed{B>A}."


def test_a_tie_and_a_win_in_the_last_line_contradict_each_other() -> None:
    assert isinstance(parse_verdict(r"\boxed{A=B} \boxed{A>B}"), Unscored)


def test_two_verdicts_for_the_same_winner_in_the_last_line_agree() -> None:
    assert parse_verdict(r"\boxed{A>B}, even \boxed{A>>B}") == Verdict(A)


def test_what_is_no_verdict_is_told_by_its_end() -> None:
    found = parse_verdict("x" * 500 + "\nI cannot\ndecide.")
    assert isinstance(found, Unscored)
    assert found.detail.startswith("no verdict; it ends: xxx")
    assert found.detail.endswith("xxx I cannot decide.")
    assert len(found.detail) < 200


def test_an_empty_answer_is_told_as_such() -> None:
    assert parse_verdict(" \n ") == Unscored("unparsed", "no visible answer")


# Reasoning


@pytest.mark.parametrize(
    ("answer", "visible"),
    [
        ("no reasoning", "no reasoning"),
        ("<think>hidden</think>shown", "shown"),
        ("\n <think>\nhid\nden\n</think>\n\nshown", "shown"),
        ("<think></think>shown", "shown"),
        ("<think>one</think><think>two</think>shown", "shown"),
        ("<think>one</think>\n<think>two</think>\nshown", "shown"),
        ("Sure. <think>hidden</think> shown", "Sure.  shown"),
        ("hidden, opened in the prompt</think>shown", "shown"),
        ("hidden <think>quoted</think> hidden</think>shown", "shown"),
        ("<think>a <think>nested</think> block</think>shown", "shown"),
        ("<think>never closed", ""),
        ("<think>closed</think>\n<think>never closed", ""),
        ("the tag <think> is only named", "the tag <think> is only named"),
        ("", ""),
    ],
)
def test_reasoning_is_taken_off(answer: str, visible: str) -> None:
    assert strip_reasoning(answer).strip() == visible.strip()


@pytest.mark.parametrize(
    "answer",
    [
        "<think>\\boxed{A>B}</think>I cannot decide.",
        "<think>\\boxed{A>B}</think>",
        "Let me see. <think>\\boxed{A>B}</think> I cannot decide.",
        "<think>It is clear:\n\\boxed{A>B}\nor is it",
        "It is clear: \\boxed{A>B}\n</think>\nI cannot decide.",
    ],
)
def test_a_verdict_in_the_reasoning_is_never_read(answer: str) -> None:
    assert isinstance(parse_verdict(answer), Unscored)


def test_the_verdict_behind_the_reasoning_is_read() -> None:
    assert parse_verdict("<think>\\boxed{A>B}?\n</think>\n\\boxed{B>A}") == Verdict(B)


@pytest.mark.parametrize(
    "padding",
    [
        "word ",
        "\n",
        " ",
        "<think>x</think>",
        "x<think>",
        "</think>",
        "\\boxed{",
        "\\boxed{A",
        "\\boxed{ \\text{ ",
        "\\boxed{A>A} ",
        "[[A",
        '"winner":',
    ],
)
def test_a_long_answer_is_read_to_its_end(padding: str) -> None:
    answer = padding * (1_000_000 // len(padding)) + "\n\\boxed{B>A}"
    assert parse_verdict(answer) == Verdict(B)


# Other forms that judges are asked for


@pytest.mark.parametrize(("answer", "credit"), [("[[A]]", A), ("So: [[B]].", B), ("[[ A ]]", A)])
def test_a_letter_is_a_verdict_where_two_levels_are_asked_for(answer: str, credit: float) -> None:
    assert parse_letter_verdict(answer) == Verdict(credit)


@pytest.mark.parametrize("answer", ["[[C]]", "[[tie]]", "A", "", "[[A]] or [[B]]"])
def test_two_levels_have_no_tie_to_give(answer: str) -> None:
    assert isinstance(parse_letter_verdict(answer), Unscored)


@pytest.mark.parametrize(
    ("answer", "credit"),
    [
        (r"\boxed{A>>B}", A),
        ("[[A>B]]", A),
        ("[[B>>A]]", B),
        ("[[A=B]]", TIE),
        ("[[B]]", B),
        ("[[C]]", TIE),
        ("[[Tie]]", TIE),
        (r"\boxed{A}", A),
        ('{"reason": "B rambles", "winner": "A"}', A),
        ('{"verdict": "tie"}', TIE),
    ],
)
def test_a_template_of_the_users_own_may_ask_for_any_known_form(answer: str, credit: float) -> None:
    assert parse_any_verdict(answer) == Verdict(credit)


def test_two_forms_in_the_last_line_may_contradict_each_other() -> None:
    assert isinstance(parse_any_verdict(r"[[A]] \boxed{B>A}"), Unscored)
