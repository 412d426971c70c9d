"""A run on another set than RM-Bench, as other tools would count it.

A tool is a variation of the benchmark's own rules, applied to the same answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from rmjudge.metrics.items import measure
from rmjudge.metrics.outcomes import ItemOutcome

if TYPE_CHECKING:
    from rmjudge.benchmarks.descriptors import Descriptor
    from rmjudge.runs.items import ItemResult

Asks = Literal["one", "both", "rewards"]


@dataclass(frozen=True, slots=True)
class ItemTool:
    """How a tool counts: which answers it needs, the kind of set, and rules in place of ours."""

    name: str
    title: str
    asks: Asks
    kind: str
    how: str
    rules: Mapping[str, Any] = field(default_factory=dict)


ITEM_TOOLS: Final = (
    ItemTool(
        "judgebench",
        "JudgeBench",
        "both",
        "pairs",
        "A win is more votes for than against over both orders; ties and failures are no vote; "
        "micro (utils/metrics.py).",
        {"order": "both-net", "failure": "no-vote", "ties": "strict", "average": "micro"},
    ),
    ItemTool(
        "judgebench-macro",
        "JudgeBench, macro (GRAM, Skywork-V2)",
        "both",
        "pairs",
        "The same, as the mean of the subsets: GRAM's and Skywork-Reward-V2's tables.",
        {"order": "both-net", "failure": "no-vote", "ties": "strict", "average": "macro"},
    ),
    ItemTool(
        "flexeval",
        "flexeval",
        "both",
        "pairs",
        "A win needs both orders; anything else, a failure too, is a loss; micro.",
        {"order": "both-agree", "failure": "wrong", "ties": "strict", "average": "micro"},
    ),
    ItemTool(
        "arena-hard",
        "arena-hard",
        "both",
        "pairs",
        "Both orders are averaged, a tie is half a win, pairs with a failure are left out; micro.",
        {"order": "both-mean", "failure": "absent", "ties": "half_credit", "average": "micro"},
    ),
    ItemTool(
        "reward-bench",
        "reward-bench (judge)",
        "one",
        "pairs",
        "A tie and a failure are half a win, every pair counts; micro (run_generative.py).",
        {"order": "seeded", "failure": "half", "ties": "half_credit", "average": "micro"},
    ),
    ItemTool(
        "alpaca-eval",
        "alpaca_eval",
        "one",
        "pairs",
        "A tie is half a win, failures are left out; micro.",
        {"order": "seeded", "failure": "absent", "ties": "half_credit", "average": "micro"},
    ),
    ItemTool(
        "reward-bench",
        "reward-bench (rewards)",
        "rewards",
        "pairs",
        "A tie is a loss, every pair counts; micro (run_rm.py).",
        {"ties": "strict", "average": "micro"},
    ),
    ItemTool(
        "reward-bench-2",
        "RewardBench 2",
        "rewards",
        "best",
        "1/k where k share the top and one of them is right; the mean of the subsets (run_v2.py).",
        {"ties": "half_credit", "average": "macro"},
    ),
    ItemTool(
        "rewardmath",
        "RewardMATH",
        "rewards",
        "best",
        "The right one must be above all others, a tie is a loss; micro.",
        {"ties": "strict", "average": "micro"},
    ),
)
ITEM_NAMES: Final = tuple(dict.fromkeys(tool.name for tool in ITEM_TOOLS))
_NEEDS: Final[Mapping[Asks, str]] = {
    "one": "a judge's verdicts in one order a pair",
    "both": "a judge's verdicts in both orders; run with --order both",
    "rewards": "a reward for each response",
}


@dataclass(frozen=True, slots=True)
class ItemReading:
    """A tool's number (a fraction) and how many items have one, or in `lacks` what is missing."""

    tool: ItemTool
    score: float | None = None
    scored: int = 0
    lacks: str = ""


def read_items_as(
    result: ItemResult, rules: Descriptor, names: Sequence[str] | None = None
) -> list[ItemReading]:
    """Read a run as each tool that has a way with this kind of set; all where none is named."""
    asked = _asked(result.outcomes)
    kind = "best" if rules.kind == "choose" else rules.kind
    found = []
    for tool in ITEM_TOOLS:
        if tool.kind != kind or (names is not None and tool.name not in names):
            continue
        if tool.asks != asked:
            found.append(ItemReading(tool, lacks=_NEEDS[tool.asks]))
            continue
        metrics = result.metrics
        read = measure(
            metrics.scorer,
            metrics.method,
            metrics.order,
            result.outcomes,
            replace(rules, **dict(tool.rules)),
        )
        found.append(ItemReading(tool, read.headline, read.scored))
    return found


def _asked(outcomes: Sequence[ItemOutcome]) -> Asks:
    if any(outcome.rewards is not None for outcome in outcomes):
        return "rewards"
    orders = (len(votes) for outcome in outcomes for _, _, votes in outcome.votes or ())
    return "both" if max(orders, default=1) > 1 else "one"
