"""Other tools' readings against their definitions, worked out by hand on tiny runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rmjudge import TupleResult
from rmjudge.metrics.compute import compute_metrics
from rmjudge.metrics.tallies import Credits
from rmjudge.readings.compute import ToolNumbers, as_rm_r1_fills_it, read_as
from rmjudge.readings.tools import NAMES, TOOLS
from rmjudge.runs.results import CallCounts, ScorerResult, Tokens
from rmjudge.vocabulary import DOMAINS, Domain, Order

# One tuple a matrix; a half is a tie, None a cell that could not be scored.
MIXED: Credits = ((1.0, 0.5, 0.0), (1.0, 1.0, None), (0.5, 1.0, 0.0))
DECIDED: Credits = ((1.0, 0.0, 0.0), (1.0, 1.0, 0.0), (1.0, 1.0, 0.0))
WON: Credits = ((1.0,) * 3,) * 3
LOST: Credits = ((0.0,) * 3,) * 3


def judge(order: Order | None, *tuples: tuple[Domain, Credits]) -> ScorerResult:
    items = [
        TupleResult(k, domain, None, matrix=matrix) for k, (domain, matrix) in enumerate(tuples)
    ]
    return result("pairwise", order, items)


def rewards(*tuples: tuple[Domain, list[float | None], list[float | None]]) -> ScorerResult:
    items = [
        TupleResult(k, domain, None, tuple(chosen), tuple(rejected))  # type: ignore[arg-type]
        for k, (domain, chosen, rejected) in enumerate(tuples)
    ]
    return result("pointwise", None, items)


def result(method: Any, order: Order | None, items: list[TupleResult]) -> ScorerResult:
    credits: dict[Domain, list[Credits]] = {domain: [] for domain in DOMAINS}
    for item in items:
        credits[item.domain].append(item.credits)
    return ScorerResult(
        metrics=compute_metrics("x", method, order, credits),
        tuples=tuple(items),
        calls=CallCounts(),
        tokens=Tokens(),
        cost=None,
        cost_known=True,
        statuses={},
        models={},
        notes=(),
    )


def read(run: ScorerResult, tool: str) -> ToolNumbers:
    (reading,) = read_as(run, [tool])
    return reading


def parts(reading: ToolNumbers) -> tuple[Any, ...]:
    overall = reading.overall
    return (overall.easy, overall.normal, overall.hard, overall.average)


def near(*values: float) -> Any:
    return pytest.approx(values)


# The cells of MIXED are, row by row, 1 tie 0 / 1 1 none / tie 1 0: easy (m10, m20, m21) is 1, tie,
# 1; normal (m00, m11, m22) 1, 1, 0; hard (m01, m02, m12) tie, 0, none.


def test_reward_bench_counts_ties_and_failures_half() -> None:
    reading = read(judge("seeded", ("chat", MIXED)), "reward-bench")
    assert parts(reading) == near(2.5 / 3, 2 / 3, 1 / 3, (2.5 + 2 + 1) / 9)


def test_rm_r1_counts_ties_half_and_failures_as_losses() -> None:
    reading = read(judge("seeded", ("chat", MIXED)), "rm-r1-mended")
    assert parts(reading) == near(2.5 / 3, 2 / 3, 0.5 / 3, (2.5 + 2 + 0.5) / 9)


def test_alpaca_eval_leaves_failures_out() -> None:
    reading = read(judge("seeded", ("chat", MIXED), ("chat", WON)), "alpaca-eval")
    # Hard: m01 (0.5 + 1) / 2, m02 1 / 2, and m12 of the second tuple alone.
    assert parts(reading)[2] == pytest.approx((0.75 + 0.5 + 1) / 3)


def test_rm_r1_as_published_is_its_formula() -> None:
    """(2 m02 + m10) / 3 and (m10 + 2 m21) / 3."""
    rng = np.random.default_rng(3)
    cells = rng.integers(0, 2, (4, 3, 3)).astype(float)
    run = judge("seeded", *(("math", tuple(map(tuple, matrix.tolist()))) for matrix in cells))
    m = cells.mean(axis=0)
    easy, hard = (m[1, 0] + 2 * m[2, 1]) / 3, (2 * m[0, 2] + m[1, 0]) / 3
    normal = m.diagonal().mean()
    reading = read(run, "rm-r1")
    assert parts(reading) == near(easy, normal, hard, (easy + normal + hard) / 3)
    assert "known bug" in reading.tool.how


def test_rm_r1_fills_its_second_file_from_its_third() -> None:
    """Replay the files: the second holds (0,1) (1,2) (2,0), the third (0,2) (1,0) (2,1)."""
    m: Any = [[f"m{i}{j}" for j in range(3)] for i in range(3)]
    first = [m[0][0], m[1][1], m[2][2]]
    third = [m[0][2], m[1][0], m[2][1]]
    second = third
    expected: Any = (
        (first[0], second[0], third[0]),
        (third[1], first[1], second[1]),
        (second[2], third[2], first[2]),
    )
    assert as_rm_r1_fills_it(tuple(map(tuple, m))) == expected


def test_rm_gallery_weighs_domains_by_their_tuples() -> None:
    run = judge("seeded", ("chat", DECIDED), ("code", WON), ("code", WON))
    reading = read(run, "rm-gallery")
    # Of 27 cells 5 + 18 are won; ours is the mean of 5/9 and 1.
    assert reading.overall.average == pytest.approx(23 / 27)
    assert reading.difference == pytest.approx(23 / 27 - (5 / 9 + 1) / 2)
    assert reading.domains == {}
    assert "domains weigh by their tuples" in reading.why


def test_rm_gallery_drops_a_tuple_with_more_than_three_failures() -> None:
    three: Credits = ((None, None, None), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    four: Credits = ((None, None, None), (None, 1.0, 1.0), (1.0, 1.0, 1.0))
    assert parts(read(judge("seeded", ("chat", three)), "rm-gallery"))[3] == pytest.approx(6 / 9)
    both = read(judge("seeded", ("chat", WON), ("chat", four)), "rm-gallery")
    assert parts(both)[3] == pytest.approx(1.0)


def test_why_rm_gallery_differs_is_what_happened_in_this_run() -> None:
    three: Credits = ((None, None, None), (1.0, 1.0, 1.0), (1.0, 0.0, 1.0))
    four: Credits = ((None, None, None), (None, 1.0, 1.0), (1.0, 0.0, 1.0))
    dropped = read(judge("seeded", ("chat", DECIDED), ("chat", four)), "rm-gallery").why
    assert dropped == "Differs because 1 tuple is dropped for having more than 3 failed cells."
    failed = read(judge("seeded", ("chat", DECIDED), ("chat", three)), "rm-gallery").why
    assert failed == "Differs because 3 unscored cells count 0 instead of being left out."
    even = read(judge("seeded", ("chat", DECIDED), ("code", three)), "rm-gallery").why
    assert "domains weigh" not in even


def test_rm_gallery_knows_no_ties() -> None:
    reading = read(judge("seeded", ("chat", MIXED)), "rm-gallery")
    assert "a judge without ties, and 2 cells are tied;" in reading.unavailable
    assert parts(reading) == (None, None, None, None)


# Both orders: 0.75 is a win and a tie, 0.5 two ties or a verdict that does not survive the swap.
SWAPPED: Credits = ((1.0, 0.75, 0.25), (0.75, 1.0, 0.5), (1.0, 0.5, 0.0))


def test_flexeval_needs_both_orders_to_agree() -> None:
    assert parts(read(judge("both", ("chat", SWAPPED)), "flexeval")) == near(1 / 3, 2 / 3, 0, 1 / 3)


def test_judgebench_and_gram_take_the_majority_of_both_orders() -> None:
    # Easy 0.75, 1, 0.5: two won. Normal 1, 1, 0. Hard 0.75, 0.25, 0.5: one won.
    for tool in ("judgebench", "gram"):
        reading = read(judge("both", ("chat", SWAPPED)), tool)
        assert parts(reading) == near(2 / 3, 2 / 3, 1 / 3, 5 / 9)


def test_arena_hard_averages_both_orders() -> None:
    reading = read(judge("both", ("chat", SWAPPED)), "arena-hard")
    assert parts(reading) == near(2.25 / 3, 2 / 3, 1.5 / 3, 5.75 / 9)
    assert reading.why == "Equal to ours."


def test_flexeval_cannot_be_told_from_probabilities() -> None:
    probable: Credits = ((0.6,) * 3,) * 3
    run = judge("both", ("chat", probable))
    assert "each order's verdict" in read(run, "flexeval").unavailable
    assert read(run, "gram").overall.average == 1.0


@pytest.mark.parametrize("tool", ["gram", "flexeval", "judgebench", "arena-hard"])
def test_a_tool_of_both_orders_cannot_read_a_run_of_one(tool: str) -> None:
    assert read(judge("seeded", ("chat", WON)), tool).unavailable.startswith("both orders")


@pytest.mark.parametrize("tool", ["rm-r1", "rm-r1-mended", "rm-gallery", "alpaca-eval"])
def test_a_tool_of_one_order_cannot_read_a_run_of_both(tool: str) -> None:
    assert read(judge("both", ("chat", WON)), tool).unavailable.startswith("one order")


def test_an_imported_judge_is_read_as_one_order() -> None:
    assert read(judge(None, ("chat", WON)), "rm-r1").overall.average == 1.0


def test_gram_has_no_answer_to_a_failure() -> None:
    assert "1 cells are not scored" in read(judge("both", ("chat", MIXED)), "gram").unavailable


def test_rm_benchs_scripts_read_rewards_as_we_do() -> None:
    run = rewards(("chat", [1, 2, 3], [1, 2, 3]), ("code", [5, 5, 5], [1, 5, 9]))
    reading = read(run, "rm-bench")
    # chat: easy 1, normal 0, hard 0. code beats the concise alone: easy 2/3 (m10, m20), normal 1/3.
    assert parts(reading) == near((1 + 2 / 3) / 2, (0 + 1 / 3) / 2, 0, (1 / 3 + 1 / 3) / 2)
    assert (reading.difference, reading.why) == (0.0, "Equal to ours.")


def test_rm_benchs_scripts_stop_at_a_missing_score() -> None:
    run = rewards(("chat", [None, 2, 3], [1, 2, 3]))
    assert read(run, "rm-bench").unavailable == "every score, and 3 cells are not scored"


def test_reward_bench_2_asks_for_the_best_of_four() -> None:
    # Against 1, 2, 3: 5 is best alone, 3 shares the top with one (1/2), 0 is not at the top.
    reading = read(rewards(("chat", [5, 3, 0], [1, 2, 3])), "reward-bench-2")
    assert parts(reading) == (None, None, None, pytest.approx((1 + 1 / 2 + 0) / 3))


def test_reward_bench_2_counts_a_missing_rating_a_quarter() -> None:
    run = rewards(("chat", [5, None, 5], [1, 2, 3]), ("code", [5, 5, 5], [1, None, 3]))
    domains = read(run, "reward-bench-2").domains
    assert domains["chat"].average == pytest.approx((1 + 0.25 + 1) / 3)
    assert domains["code"].average == pytest.approx(0.25)


def test_domains_count_alike_except_where_the_tool_pools_them() -> None:
    run = judge("seeded", ("chat", WON), ("code", LOST), ("code", LOST))
    assert read(run, "reward-bench").overall.average == 0.5
    assert read(run, "rm-gallery").overall.average == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("tool", "why"),
    [
        (
            "reward-bench",
            "Differs because 1 unscored cell counts 0.5 instead of being left out.",
        ),
        ("rm-r1-mended", "Differs because 1 unscored cell counts 0 instead of being left out."),
        ("alpaca-eval", "Equal to ours."),
    ],
)
def test_the_difference_to_ours_is_explained_by_what_the_run_holds(tool: str, why: str) -> None:
    run = judge("seeded", ("chat", MIXED), ("chat", WON))
    assert read(run, tool).why == why


def test_ties_that_count_nothing_explain_a_strict_reading() -> None:
    run = judge("both", ("chat", ((0.5, 1.0, 1.0), (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))))
    reading = read(run, "judgebench")
    assert reading.difference == pytest.approx(-0.5 / 9)
    assert "1 tie counts 0 instead of 0.5" in reading.why


def test_every_tool_reads_some_run_and_has_a_source() -> None:
    runs = [
        judge("seeded", ("chat", WON)),
        judge("both", ("chat", WON)),
        rewards(("chat", [1, 1, 1], [0, 0, 0])),
    ]
    readable = {
        reading.tool.name for run in runs for reading in read_as(run) if not reading.unavailable
    }
    assert readable == set(NAMES)
    assert [tool.name for tool in TOOLS if not tool.source] == []
