"""A run among the published rows: where it stands, and when it does not."""

from __future__ import annotations

import pytest

from rmjudge.leaderboard.published import Figures, PublishedRow, published
from rmjudge.leaderboard.standing import BENCHMARK, Entry, stand
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import Domain

WIN: Credits = ((1.0,) * 3,) * 3
LOSS: Credits = ((0.0,) * 3,) * 3
HALF_ABSENT: Credits = ((1.0, None, 1.0),) * 3


def metrics(sizes: dict[Domain, int], wins: float, absent: int = 0) -> Metrics:
    """A reward model that wins this share of the tuples of every domain (rounded down)."""
    credits = {
        domain: [WIN] * int(size * wins) + [LOSS] * (size - int(size * wins))
        for domain, size in sizes.items()
    }
    if absent:
        credits["chat"][:absent] = [HALF_ABSENT] * absent
    return compute_metrics("my/model", "pointwise", None, credits)


def published_row(model: str, overall: float) -> PublishedRow:
    return PublishedRow(model, "Scalar RM", Figures(overall=overall), "https://x", "Unknown")


def entry(entries: list[Entry], name: str) -> Entry:
    (found,) = (entry for entry in entries if entry.name == name)
    return found


def test_the_benchmark_has_its_1327_tuples() -> None:
    assert sum(BENCHMARK.values()) == 1327


def test_a_full_run_stands_between_better_and_worse_rows() -> None:
    rows = [published_row("better", 0.9), published_row("worse", 0.3)]
    entries = stand(rows, [("mine", metrics(BENCHMARK, 0.5))])
    assert [(item.name, item.rank) for item in entries] == [
        ("better", 1),
        ("mine", 2),
        ("worse", 3),
    ]


def test_equal_averages_share_a_rank_and_the_next_one_is_skipped() -> None:
    rows = [published_row(name, value) for name, value in (("a", 0.7), ("b", 0.7), ("c", 0.6))]
    assert [item.rank for item in stand(rows, [])] == [1, 1, 3]


def test_a_row_that_contradicts_itself_is_ranked_by_its_domains() -> None:
    entries = stand(published(), [])
    # 86.4 would be third; its domains average 83.1, below 82.7 + 0.4 and 83.9.
    assert entry(entries, "REWARDANYTHING-8B").rank == 8
    assert entry(entries, "RM-R1-DeepSeek-Distilled-Qwen-32B").rank == 7


@pytest.mark.parametrize(
    ("sizes", "why"),
    [
        (
            {"chat": 129, "code": 228},
            "average over chat, code only; math, safety missing",
        ),
        (
            {**BENCHMARK, "math": 100},
            "not the whole benchmark: tuples are math 100 in place of math 529",
        ),
    ],
)
def test_a_run_over_less_than_the_benchmark_is_shown_last_and_without_a_rank(
    sizes: dict[Domain, int], why: str
) -> None:
    entries = stand([published_row("worse", 0.1)], [("mine", metrics(sizes, 1.0))])
    assert [(item.name, item.rank, item.unranked) for item in entries] == [
        ("worse", 1, ""),
        ("mine", None, why),
    ]


def test_unscored_cells_are_counted_and_do_not_cost_the_rank() -> None:
    (found,) = stand([], [("mine", metrics(BENCHMARK, 1.0, absent=2))])
    assert (found.rank, found.unscored, found.cells) == (1, 6, 1327 * 9)


def test_a_doubtful_row_says_why_where_that_is_known_and_what_its_source_says() -> None:
    entries = stand(published(), [])
    (swapped,) = entry(entries, "DeepSeek R1").doubts
    assert "swapped" in swapped
    assert "https://github.com/THU-KEG/RM-Bench" in swapped
    assert entry(entries, "DeepSeek R1").corrected == {"code": 0.7266, "math": 0.9359}
    mismatch, unflagged = entry(entries, "GPT-4.1").doubts
    assert mismatch.startswith("score mismatch: Overall 77.4")
    assert "does not flag" in unflagged
    assert entry(entries, "ArmoRM-Llama3-8B-v0.1").doubts == ()
