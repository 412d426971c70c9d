r"""A verdict that its judge negates, strikes out, supposes or takes back is not the judge's."""

from __future__ import annotations

import pytest

from rmjudge.calls import Reward, Unscored, Verdict
from rmjudge.judging.rating import parse_rating
from rmjudge.judging.rules import reader_for
from rmjudge.judging.verdict import parse_any_verdict, parse_verdict


@pytest.mark.parametrize(
    "reply",
    [
        r"It is not \boxed{A>B}.",
        r"I would not say \boxed{A>B}",
        r"This isn't a \boxed{A>B}.",
        r"\boxed{A>B} is not my verdict.",
        r"\boxed{A>B} would be wrong.",
        r"~~\boxed{A>B}~~",
        r"<del>\boxed{A>B}</del>",
        r"<!-- \boxed{A>B} -->",
        r"\sout{\boxed{A>B}}",
        "not [[A]]",
        "[[A]] loses",
        "I reject [[A]].",
        "\\boxed{A>B}\n\n(Had Response B been right it would be \\boxed{B>A}.)",
        "\\boxed{A>B}\n\nNote: \\boxed{B>A} would apply if B were correct.",
    ],
)
def test_what_is_negated_struck_out_or_supposed_is_no_verdict(reply: str) -> None:
    assert isinstance(parse_any_verdict(reply), Unscored)


@pytest.mark.parametrize(
    ("reply", "credit"),
    [
        (r"~~\boxed{A>B}~~ \boxed{B>A}", 0.0),
        (r"It is not \boxed{B>A} but \boxed{A>B}.", 1.0),
        (r"Rather than \boxed{A>B}, I give \boxed{B>A}.", 0.0),
        (r"It is not close: \boxed{A>B}", 1.0),
        ("Is B better? It is not.\n\\boxed{A>B}", 1.0),
        (r"If I had to choose, my verdict would be \boxed{A>B}.", 1.0),
    ],
)
def test_a_verdict_beside_one_that_is_withdrawn_is_read(reply: str, credit: float) -> None:
    assert parse_verdict(reply) == Verdict(credit)


@pytest.mark.parametrize(
    "after",
    [
        "I choose B.",
        "I would prefer Response B.",
        "Edit: B is the better one.",
        "On balance, I believe that B is superior.",
        "Its steps are sound, so Response B wins.",
        "I've got the labels the wrong way.",
        "Hmm, wait: the letters were swapped.",
        "Correction: it is B.",
        "(i.e., B is better)",
        "Sorry, I mixed up the letters.",
        "It should be the other way round.",
        "Wait, that is wrong.",
        "I take that back.",
        "最终答案是B。",
        "B更好。",
        "Die bessere Antwort ist B.",
        "La respuesta B es mejor.",
        "Вердикт: B",
    ],
)
def test_words_behind_a_verdict_that_say_something_else_make_it_doubtful(after: str) -> None:
    assert isinstance(parse_verdict(f"\\boxed{{A>B}}\n\n{after}"), Unscored)
    assert isinstance(parse_verdict(f"\\boxed{{A>B}} {after}"), Unscored)


@pytest.mark.parametrize(
    "after",
    [
        "I choose A.",
        "Though Response B is better formatted, its facts are wrong.",
        "Wait, to be sure: I choose A.",
        "Response B claims that this is better.",
        "In terms of style, B is better.",
        "I do not think that Response B is better.",
        "One could argue that Response B is better.",
        "I prefer B in style, but A is right.",
        "I would not choose B.",
        "Response A got the order of operations right.",
        "Response B confused these two ideas and reversed the order of its steps.",
        "B does it the other way around, which is wrong.",
        "Correction of the second step would have saved B; self-correction is rare.",
        "Wait times are in A alone. Hold on to the rail, says B.",
        "最终答案是A。",
        "Die bessere Antwort ist A.",
    ],
)
def test_words_behind_a_verdict_that_agree_or_say_nothing_leave_it(after: str) -> None:
    assert parse_verdict(f"\\boxed{{A>B}}\n\n{after}") == Verdict(1.0)


def test_verdicts_on_criteria_without_one_in_all_are_none() -> None:
    assert isinstance(
        parse_verdict("Correctness: \\boxed{A>B}\nStyle: \\boxed{B>A}\nSo overall A wins."),
        Unscored,
    )
    assert isinstance(parse_rating("Correctness: \\boxed{9}\nStyle: \\boxed{3}"), Unscored)
    said = "Correctness: \\boxed{9}\nStyle: \\boxed{3}\nOverall: \\boxed{6}"
    assert parse_rating(said) == Reward(6.0)


@pytest.mark.parametrize(
    "reply",
    [
        r"\boxed{7}/5",
        r"\boxed{8} out of 100",
        r"**\boxed{8}** / 100",
        r"\boxed{1 0}",
        r"\boxed{1_0}",
        "\\boxed{8}\n\nFinal score: 3",
        r"not \boxed{8}",
    ],
)
def test_a_rating_on_another_scale_or_another_number_is_none(reply: str) -> None:
    assert isinstance(parse_rating(reply), Unscored)


@pytest.mark.parametrize(
    "reply", [r"\boxed{7}/10", r"\boxed{7} out of 10", "\\boxed{7}\nFinal score: 7"]
)
def test_a_rating_that_names_its_own_scale_is_read(reply: str) -> None:
    assert parse_rating(reply) == Reward(7.0)


@pytest.mark.parametrize(
    ("rule", "reply"),
    [
        ("scores", "8/10 5/5"),
        ("scores", "1/2 1/3"),
        ("json", '{"worse": ["A", "B"]}'),
        ("json", '{"errors": {"A": 3, "B": 1}}'),
    ],
)
def test_numbers_of_two_scales_and_what_is_worse_are_no_verdict(rule: str, reply: str) -> None:
    assert isinstance(reader_for(rule, "pairwise", None)(reply), Unscored)


@pytest.mark.parametrize(
    ("reply", "credit"),
    [
        ('{"rank": {"A": 1, "B": 2}}', 1.0),
        ('{"placement": {"A": 2, "B": 1}}', 0.0),
        ('{"A": 3, "B": 5, "lower_is_better": true}', 1.0),
        ('{"scores": {"A": 3, "B": 5}}', 0.0),
        ('{"ranking": ["B", "A"]}', 0.0),
    ],
)
def test_of_places_in_json_the_lower_wins(reply: str, credit: float) -> None:
    assert reader_for("json", "pairwise", None)(reply) == Verdict(credit)
