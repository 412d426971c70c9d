"""The baselines of pure style, by hand."""

from __future__ import annotations

import pytest

from rmjudge.calls import CompareCall, Failure, Reply, Reward, RewardCall
from rmjudge.errors import UsageError
from rmjudge.providers.baseline import Baseline, length, markdown, random
from rmjudge.scorer import Scorer

DOCUMENT = """# Title

Some **bold** text and `code`.

- one
- two **with bold**
1. three
2) four

| a | b |
|---|---|
| 1 | 2 |

```python
x = 1 * 2 * 3
```
"""


@pytest.mark.parametrize(
    ("response", "reward"),
    [("", 0.0), ("four", 4.0), ("\n \t", 3.0), ("é\U0001f600", 2.0), ("\ud800", 1.0)],
)
def test_length_counts_characters(response: str, reward: float) -> None:
    assert length("a prompt that does not count", response) == reward


def test_markdown_counts_marks() -> None:
    # 1 header, 1 bold, 1 code, 2 bullets, 1 bold, 2 numbers, 3 table rows, 2 fences
    assert markdown("# not counted\n", DOCUMENT) == 13.0


@pytest.mark.parametrize(
    ("response", "reward"),
    [
        ("", 0.0),
        ("Plain text. It costs 3 - 2 = 1, or 2 * 3 * 4.", 0.0),
        ("#hashtag and a-b and 1.5 and **", 0.0),
        ("a | b", 0.0),
        ("###### deep", 1.0),
        ("####### too deep", 0.0),
        ("    # code, not a header", 0.0),
        ("* a\n+ b\n  - c", 3.0),
        ("**a** **b**", 2.0),
        ("**over\nlines**", 0.0),
        ("`a` `b", 1.0),
        ("10. ten", 1.0),
        ("text\n\n# after a blank line", 1.0),
    ],
)
def test_only_marks_of_markdown_count(response: str, reward: float) -> None:
    assert markdown("", response) == reward


def test_random_is_the_same_for_ever() -> None:
    assert random("prompt", "response") == 0.5765376997964999


def test_random_depends_on_both_texts_and_on_where_they_part() -> None:
    values = {random(*texts) for texts in [("a", "b"), ("b", "a"), ("ab", ""), ("", "ab")]}

    assert len(values) == 4


def test_random_fills_the_unit_interval() -> None:
    values = [random("prompt", str(number)) for number in range(2000)]

    assert 0.0 <= min(values) < 0.01
    assert 0.99 < max(values) < 1.0
    assert 0.47 < sum(values) / len(values) < 0.53


@pytest.mark.parametrize(
    ("kind", "reward"), [("length", 8.0), ("markdown", 1.0), ("random", random("p", "**bold**"))]
)
async def test_a_baseline_answers_calls_in_order(kind: str, reward: float) -> None:
    scorer = Baseline(kind)
    first, second = await scorer.answer([RewardCall("p", "**bold**"), RewardCall("p", "")])

    assert first == Reply(Reward(reward))
    assert second != first
    assert scorer.name == f"baseline/{kind}"


async def test_a_baseline_compares_nothing() -> None:
    (outcome,) = await Baseline("length").answer([CompareCall("p", "a", "b")])

    assert isinstance(outcome, Failure)
    assert outcome.status == "unsupported"


def test_a_baseline_is_a_scorer() -> None:
    assert isinstance(Baseline("length"), Scorer)


def test_two_baselines_are_two_scorers() -> None:
    assert Baseline("length").identity != Baseline("markdown").identity


def test_an_unknown_baseline_is_refused_with_what_there_is() -> None:
    with pytest.raises(UsageError, match="baseline/width: there are length, markdown, random"):
        Baseline("width")
