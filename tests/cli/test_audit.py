"""`rmjudge run --order audit`: the seeded order everywhere, both orders on a hashed share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from quiet_runs import Command, quietly, tuples, written

import rmjudge
from rmjudge import PairwiseScorer
from rmjudge.dataset import load
from rmjudge.planning.sampling import audited

if TYPE_CHECKING:
    from served import ModelServer

TUPLES = 40


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Command:
    command = quietly(capsys)
    tuples(TUPLES)
    return command


def twice(share: float) -> int:
    return sum(audited(item, share) for item in load(["data.json"]))


def numbers() -> dict[str, Any]:
    metrics: dict[str, Any] = written("metrics.json")
    return {name: metrics[name] for name in ("easy", "normal", "hard", "average", "intervals")}


def test_an_audit_asks_a_share_of_the_tuples_in_both_orders(
    run: Command, server: ModelServer
) -> None:
    code, err = run(server.judge, "--order", "audit")
    assert code == 0, err
    assert 0 < twice(0.15) < TUPLES
    assert server.stats["received"] == 9 * (TUPLES + twice(0.15))
    metrics = written("metrics.json")
    assert (metrics["order"], metrics["design"]["audit"]) == ("audit", 0.15)
    assert metrics["position"]["swap_consistency_interval"] is not None
    assert metrics["position"]["first_share_interval"] is not None
    assert metrics["complete"] is False  # of the missing domains, not of the cells
    assert metrics["unscored_cells"] == 0


def test_the_accuracy_is_that_of_the_seeded_order(run: Command, server: ModelServer) -> None:
    run(server.judge, "--order", "audit")
    audit = numbers()
    server.reset()
    run(server.judge)
    assert server.stats["received"] == 0
    assert numbers() == audit


def test_the_swap_rate_is_that_of_the_audited_tuples_in_both_orders(
    run: Command, server: ModelServer
) -> None:
    run(server.judge, "--order", "audit=30%")
    found = written("metrics.json")["position"]["swap_consistency"]
    kept = json.loads(Path("data.json").read_text("utf-8"))
    items = {item.id for item in load(["data.json"]) if audited(item, 0.3)}
    part = Path("part.json")
    part.write_text(json.dumps([item for item in kept if item["id"] in items]), "utf-8")
    server.reset()
    run(server.judge, "--order", "both", "--data", str(part))
    assert server.stats["received"] == 0
    assert written("metrics.json")["position"]["swap_consistency"] == pytest.approx(found)


def test_a_larger_audit_and_both_orders_buy_the_rest(run: Command, server: ModelServer) -> None:
    run(server.judge, "--order", "audit")
    server.reset()
    run(server.judge, "--order", "audit=30%")
    assert server.stats["received"] == 9 * (twice(0.3) - twice(0.15)) > 0
    server.reset()
    run(server.judge, "--order", "both")
    assert server.stats["received"] == 9 * (TUPLES - twice(0.3))


class First(PairwiseScorer):
    """Whatever is shown first is better."""

    name, version = "mine/first", "1"

    def compare(self, prompt: str, first: str, second: str) -> float:
        return 1.0


def test_a_judge_that_says_always_a_is_found_out_by_the_audit() -> None:
    tuples(TUPLES)
    found = rmjudge.evaluate(First(), "data.json", order="audit", out="o")["mine/first"].metrics
    assert found.position is not None
    assert (found.position.first_share, found.position.swap_consistency) == (1.0, 0.0)
    assert (found.tie_rate, found.split_rate) == (0.0, 1.0)


@pytest.mark.parametrize("order", ["audit=0%", "audit=101%", "audit=", "audit=x", "audits"])
def test_a_share_that_is_none_is_refused(run: Command, server: ModelServer, order: str) -> None:
    code, err = run(server.judge, "--order", order)
    assert code == 2
    assert "audit=15%" in err
    assert server.stats["received"] == 0
