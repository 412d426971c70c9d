"""A run among the published rows: where it stands, and when it does not."""

from __future__ import annotations

import pytest

from rmjudge.leaderboard.published import Figures, PublishedRow, published
from rmjudge.leaderboard.standing import BENCHMARK, Entry, excerpt, stand
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.report import Metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.vocabulary import Domain

WIN: Credits = ((1.0,) * 3,) * 3
MEANS = ("easy", "normal", "hard", "overall")
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
    mismatch, weighted, unflagged = entry(entries, "GPT-4.1").doubts
    assert mismatch.startswith("score mismatch: Overall 77.4")
    assert "weigh the domains by their tuples" in weighted
    assert "does not flag" in unflagged
    assert entry(entries, "ArmoRM-Llama3-8B-v0.1").doubts == ()


def test_figures_that_a_source_contradicts_are_shown_and_ranked_as_the_source_has_them() -> None:
    found = entry(stand(published(), []), "RM-R1-Qwen-Instruct-32B")
    assert (found.figures.math, found.figures.code) == (0.802, 0.668)
    assert found.replaced == {"math": 0.839, "code": 0.562}
    assert found.average == pytest.approx((0.753 + 0.802 + 0.668 + 0.939) / 4)  # 79.05
    assert not any(doubt.startswith("score mismatch") for doubt in found.doubts)


def test_rows_weighted_by_tuples_are_marked_and_ranked_by_their_domains() -> None:
    marked = {one.name: one for one in stand(published(), []) if one.by_tuples}
    assert len(marked) == 7
    macro = {name: round(100 * (one.average or 0), 1) for name, one in marked.items()}
    assert macro == {
        "REWARDANYTHING-8B": 83.1,
        "GPT-4.1": 77.0,
        "Qwen3-8B": 71.2,
        "DeepSeek V3": 73.1,
        "Skywork-Reward-Llama-3.1-8B-v0.2": 70.2,
        "GRM-Llama3.2-3B-rewardmodel-ft": 69.6,
        "FsfairX-LLLaMA3-RM-v0.1": 69.4,
    }
    for name, one in marked.items():
        weighted = {"overall"} if name == "REWARDANYTHING-8B" else set(MEANS)
        assert one.by_tuples == weighted


def test_published_macro_figures_stand_in_the_place_of_weighted_ones() -> None:
    figures = entry(stand(published(), []), "REWARDANYTHING-8B").figures
    assert (figures.easy, figures.normal, figures.hard) == (0.856, 0.822, 0.815)


@pytest.mark.parametrize("row", [row for row in published() if row.by_tuples], ids=str)
def test_weighing_the_domains_by_their_tuples_gives_the_overall_of_a_row_so_marked(
    row: PublishedRow,
) -> None:
    by_domain = {domain: getattr(row.figures, domain) for domain in BENCHMARK}
    weighted = sum(by_domain[domain] * size for domain, size in BENCHMARK.items()) / 1327
    assert weighted == pytest.approx(row.figures.overall, abs=7e-4)


def test_the_top_is_the_best_rows_and_every_run() -> None:
    rows = [published_row(name, value) for name, value in (("a", 0.9), ("b", 0.8), ("c", 0.7))]
    entries = stand(rows, [("mine", metrics(BENCHMARK, 0.5)), ("part", metrics({"chat": 2}, 1.0))])
    assert [one.name for one in excerpt(entries, 2, None)] == ["a", "b", "mine", "part"]


def test_around_a_run_are_its_neighbours_on_either_side() -> None:
    values = (("a", 0.9), ("b", 0.8), ("c", 0.7), ("d", 0.3), ("e", 0.2))
    rows = [published_row(name, value) for name, value in values]
    entries = stand(rows, [("mine", metrics(BENCHMARK, 0.5))])
    assert [one.name for one in excerpt(entries, None, 1)] == ["c", "mine", "d"]
    assert [one.name for one in excerpt(entries, 1, 1)] == ["a", "c", "mine", "d"]
