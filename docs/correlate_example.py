"""Make the example of `correlate.md`: runs of six toy scorers and the scores of their policies.

A policy that needs no training: answer each prompt with whichever of the six responses the scorer
likes best. Its score is the share of prompts, in percent, whose answer is then a right one. The
model it starts from picks blindly, and is right half of the time.

Run it in the repository's root: `.venv/bin/python docs/correlate_example.py`. It writes
`runs/correlate-example` and the CSV beside this file.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import rmjudge

OUT = Path("runs/correlate-example")
CSV = Path(__file__).with_name("policies_example.csv")
BLIND = 50.0
Rewards = Sequence[float | None]


class Shorter(rmjudge.PointwiseScorer):
    """The shorter, the better."""

    name, version = "toy/shorter", "1"

    def reward(self, prompt: str, response: str) -> float:
        """Characters, counted down."""
        return -float(len(response))


class Variety(rmjudge.PointwiseScorer):
    """Likes words that do not recur."""

    name, version = "toy/variety", "1"

    def reward(self, prompt: str, response: str) -> float:
        """Different words among the words."""
        words = response.lower().split()
        return len(set(words)) / max(len(words), 1)


class Echo(rmjudge.PointwiseScorer):
    """Likes words that the prompt has too."""

    name, version = "toy/echo", "1"

    def reward(self, prompt: str, response: str) -> float:
        """The prompt's words that come back."""
        asked = set(prompt.lower().split())
        return len(asked & set(response.lower().split())) / max(len(asked), 1)


def right(chosen: Rewards, rejected: Rewards) -> float:
    """Chance that the best of these responses is a right one; equal rewards share it."""
    good = [reward for reward in chosen if reward is not None]
    bad = [reward for reward in rejected if reward is not None]
    best = max(*good, *bad)
    return good.count(best) / (good.count(best) + bad.count(best))


def main() -> None:
    """Score the sample, then let each scorer choose."""
    models = ["baseline/length", "baseline/markdown", "baseline/random"]
    run = rmjudge.evaluate(
        [*models, Shorter(), Variety(), Echo()], data="sample", out=OUT, progress=False
    )
    with CSV.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["scorer", "domain", "task", "score", "sft"])
        for result in run:
            writer.writerows(rows(result))


def rows(result: rmjudge.ScorerResult) -> list[list[object]]:
    """A line a domain: in chat among two of one style, elsewhere among all six."""
    found: list[list[object]] = []
    for domain in result.metrics.domains:
        shares: list[float] = []
        for item in result.tuples:
            chosen, rejected = item.score_chosen, item.score_rejected
            if item.domain != domain or chosen is None or rejected is None:
                continue
            if domain == "chat":
                pairs = zip(chosen, rejected, strict=True)
                shares += [right([one], [other]) for one, other in pairs]
            else:
                shares.append(right(chosen, rejected))
        score = round(100 * sum(shares) / len(shares), 1)
        task, blind = ("best of 2 in one style", "") if domain == "chat" else ("best of 6", BLIND)
        found.append([result.metrics.scorer, domain, task, score, blind])
    return found


if __name__ == "__main__":
    main()
