"""The sentence that a report opens with: what it says, and when it may say that it is sure."""

from __future__ import annotations

import pytest

from rmjudge.metrics.accuracy import Accuracies
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.conclusion import conclude
from rmjudge.metrics.report import Metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import DOMAINS, Method, Order

STYLE: Credits = ((0.5, 0.0, 0.0), (1.0, 0.5, 0.0), (1.0, 1.0, 0.5))
RIGHT: Credits = ((1.0,) * 3,) * 3
WRONG: Credits = ((0.0,) * 3,) * 3
TIED: Credits = ((0.5,) * 3,) * 3
PLAIN: Credits = ((0.5, 1.0, 1.0), (0.0, 0.5, 1.0), (0.0, 0.0, 0.5))
UNKNOWN: Credits = ((None,) * 3,) * 3
LENGTH = Accuracies(0.85, 0.5, 0.03, 0.46)


def metrics_of(*groups: tuple[Credits, int], method: Method = "pairwise") -> Metrics:
    """Metrics of four domains, each with these tuples."""
    tuples = [credits for credits, count in groups for _ in range(count)]
    order: Order | None = "seeded" if method == "pairwise" else None
    return compute_metrics("openai/judge", method, order, dict.fromkeys(DOMAINS, tuples))


def test_a_judge_of_style_is_told_beside_a_length_counter() -> None:
    found = conclude(metrics_of((STYLE, 30), (RIGHT, 2)), LENGTH)
    assert found.judges == "style"
    assert found.text.startswith(
        "Judges style: Easy 100, Hard 6; a length counter gets 85 and 3. "
        "Sure: the 95 % interval of Hard is "
    )
    assert found.text.endswith(", all below 50.")
    assert found.text_of("openai/judge").startswith("openai/judge judges style: Easy 100,")


def test_without_texts_there_is_no_word_of_a_length_counter() -> None:
    assert "length" not in conclude(metrics_of((STYLE, 30))).text


def test_a_judge_that_is_right_judges_substance_and_style_may_help_it_still() -> None:
    assert conclude(metrics_of((RIGHT, 60))).judges == "substance"
    assert "style still helps" not in conclude(metrics_of((RIGHT, 60))).text
    moved = conclude(metrics_of((RIGHT, 50), (STYLE, 15)))
    assert moved.judges == "substance"
    assert "above 50; style still helps, that of Easy is" in moved.text


@pytest.mark.parametrize(
    ("credits", "judges"), [(WRONG, "wrong"), (PLAIN, "plainness"), (TIED, "ties")]
)
def test_other_scorers_are_not_called_judges_of_style(credits: Credits, judges: str) -> None:
    for method in ("pairwise", "pointwise"):
        assert conclude(metrics_of((credits, 60), method=method)).judges == judges


def test_an_interval_that_includes_a_half_decides_nothing() -> None:
    found = conclude(metrics_of((RIGHT, 5), (STYLE, 5)))
    assert found.judges == "open"
    assert "Not sure: the 95 % interval of Hard is" in found.text
    assert "includes 50" in found.text
    assert found.text_of("a").startswith("a: style or substance is not decided: Easy")


def test_cells_without_a_score_can_take_the_certainty_away() -> None:
    sure = metrics_of((RIGHT, 60), (STYLE, 20))
    assert conclude(sure).judges == "substance"
    lacking = metrics_of((RIGHT, 60), (STYLE, 20), (UNKNOWN, 10))
    assert lacking.headline.hard == sure.headline.hard
    found = conclude(lacking)
    assert found.judges == "open"
    assert "cells without a score allowed for" in found.text


def test_the_sentence_holds_whatever_the_missing_cells_would_have_been() -> None:
    """Hard's point estimate with all missing cells right, and with all wrong, is inside."""
    lacking = ((1.0, None, None), (1.0, 1.0, None), (1.0, 1.0, 1.0))
    tuples = [RIGHT] * 57 + [lacking] * 3
    metrics = compute_metrics("a", "pairwise", "seeded", {"chat": tuples})
    low = int(conclude(metrics).text.split("Hard is ")[1].split()[0])
    with_all_wrong = 100 * 57 / 60
    assert low <= with_all_wrong


def test_what_is_missing_is_told() -> None:
    only = compute_metrics("a", "pairwise", "seeded", {"chat": [STYLE] * 30})
    assert "Hard 0 (over chat only)" in conclude(only).text
    none = compute_metrics("a", "pairwise", "seeded", {"chat": [UNKNOWN]})
    assert conclude(none).text == "Cannot be judged: no score in Easy or in Hard."
