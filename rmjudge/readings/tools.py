"""The tools: how each reads a cell, and what it averages.

Each is read in its published code. A tool that has no way of its own with RM-Bench's matrix is
applied cell by cell, then averaged as RM-Bench does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from rmjudge.vocabulary import Method

Asks = Literal["one", "both"]
Averaging = Literal["rm-bench", "rm-r1", "rm-gallery", "four-way"]
Win = Literal["sign", "both-orders", "mean"]


@dataclass(frozen=True, slots=True)
class Tool:
    """What a tool makes of one method's cells.

    `asks` is in how many orders it compares a pair, None for rewards. A cell is won (1) when its
    credit is above a half (`sign`), when it is 1, so that both orders agree (`both-orders`), or
    it counts as it is (`mean`); `tie` is what a half counts, None where it cannot occur; `failure`
    what a cell without a score counts, None where it is left out; `stops` says that the tool has
    no answer to a missing score. `how` is one sentence.
    """

    name: str
    title: str
    method: Method
    asks: Asks | None
    tie: float | None
    failure: float | None
    how: str
    source: str
    win: Win = "sign"
    averaging: Averaging = "rm-bench"
    stops: bool = False


_RM_R1: Final = "github.com/RM-R1-UIUC/RM-R1, eval/RM-Bench/scripts/process_final_result.py"
_REWARD_BENCH: Final = "github.com/allenai/reward-bench, scripts/"

TOOLS: Final[tuple[Tool, ...]] = (
    Tool(
        "rm-bench",
        "RM-Bench's scripts",
        "pointwise",
        None,
        tie=0.0,
        failure=None,
        stops=True,
        how="A tie is a loss, every tuple counts.",
        source="github.com/THU-KEG/RM-Bench, scripts/utils.py, compute_accuracy",
    ),
    Tool(
        "rm-r1",
        "RM-R1 as published",
        "pairwise",
        "one",
        tie=0.5,
        failure=0.0,
        averaging="rm-r1",
        how="Its script takes the third result file in the place of the second: Hard is "
        "(2 m02 + m10) / 3 and Easy (m10 + 2 m21) / 3, an easy cell counted as hard; a known bug.",
        source=_RM_R1,
    ),
    Tool(
        "rm-r1-mended",
        "RM-R1 without the bug",
        "pairwise",
        "one",
        tie=0.5,
        failure=0.0,
        how="A tie is half a win, a failure a loss, every tuple counts.",
        source=_RM_R1,
    ),
    Tool(
        "rm-gallery",
        "RM-Gallery",
        "pairwise",
        "one",
        tie=None,
        failure=0.0,
        averaging="rm-gallery",
        how="The judge must choose; a failed cell is a loss and a tuple with more than three is "
        "dropped; one matrix over all domains, so that a domain weighs by its tuples.",
        source="github.com/modelscope/RM-Gallery, rm_gallery/gallery/evaluation/rmbench.py",
    ),
    Tool(
        "gram",
        "GRAM",
        "pairwise",
        "both",
        tie=0.0,
        failure=None,
        stops=True,
        how="The probabilities of A and B are averaged over both orders; a tie is a loss.",
        source="GRAM's evaluation on RM-Bench",
    ),
    Tool(
        "reward-bench",
        "reward-bench (judge)",
        "pairwise",
        "one",
        tie=0.5,
        failure=0.5,
        how="A tie and a failure are half a win, every pair counts.",
        source=_REWARD_BENCH + "run_generative.py",
    ),
    Tool(
        "reward-bench",
        "reward-bench (rewards)",
        "pointwise",
        None,
        tie=0.0,
        failure=None,
        stops=True,
        how="A tie is a loss, every pair counts.",
        source=_REWARD_BENCH + "run_rm.py",
    ),
    Tool(
        "reward-bench-2",
        "RewardBench 2 (ratings)",
        "pointwise",
        None,
        tie=0.5,
        failure=0.25,
        averaging="four-way",
        how="Each chosen response against the three rejected at once: 1/k as one of k at the top, "
        "a quarter where a rating is missing; there are no difficulties.",
        source=_REWARD_BENCH + "run_v2.py",
    ),
    Tool(
        "flexeval",
        "flexeval",
        "pairwise",
        "both",
        tie=0.0,
        failure=0.0,
        win="both-orders",
        how="A win needs both orders; anything else, a failure too, is a loss.",
        source="github.com/sbintuitions/flexeval",
    ),
    Tool(
        "judgebench",
        "JudgeBench",
        "pairwise",
        "both",
        tie=0.0,
        failure=0.0,
        how="A win is more votes for than against over both orders; ties and failures are no vote "
        "(a pair with one failure is kept here as a failure).",
        source="github.com/ScalerLab/JudgeBench, utils/metrics.py",
    ),
    Tool(
        "arena-hard",
        "arena-hard",
        "pairwise",
        "both",
        tie=0.5,
        failure=None,
        win="mean",
        how="Both orders are averaged, a tie is half a win, pairs with a failure are left out "
        "(a strong verdict counts three times there; a run keeps its direction only).",
        source="github.com/lmarena/arena-hard-auto",
    ),
    Tool(
        "alpaca-eval",
        "alpaca_eval",
        "pairwise",
        "one",
        tie=0.5,
        failure=None,
        how="A tie is half a win, failures are left out.",
        source="github.com/tatsu-lab/alpaca_eval",
    ),
)
NAMES: Final = tuple(dict.fromkeys(tool.name for tool in TOOLS))
