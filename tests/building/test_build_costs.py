"""What a build can cost at most: told before, never passed, and reached by a reluctant writer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from command import Cli
from scripted_builds import PANEL, ScriptedModels

LIMIT = 300
PRICES = {"input": 3.0, "output": 15.0}
"""US dollars per million tokens."""


class ReluctantModels(ScriptedModels):
    """The writer refuses twice, each time; each reply is billed at the limit."""

    def __init__(self) -> None:
        super().__init__()
        self.bill = 0.0

    def _replied(self, body: Any) -> Any:
        reply = super()._replied(body)
        with self._lock:
            if body["model"] == "writer" and self.counts[json.dumps(body, sort_keys=True)] % 3:
                reply["choices"][0]["message"]["content"] = "I'm sorry, but no."
            taken = len(body["messages"][-1]["content"]), LIMIT  # a token a character
            reply["usage"] = {"prompt_tokens": taken[0], "completion_tokens": taken[1]}
            self.bill += (taken[0] * PRICES["input"] + taken[1] * PRICES["output"]) / 1e6
        return reply


@pytest.fixture
def models() -> Iterator[ReluctantModels]:
    with ReluctantModels() as server:
        yield server


def words(cli: Cli, models: ScriptedModels) -> list[str]:
    names = ("writer", *PANEL)
    prices = [f'[prices."openai/{name}"]\ninput = 3.0\noutput = 15.0\n' for name in names]
    (cli.home / "rmjudge.toml").write_text("".join(prices))
    offered = [{"id": k, "prompt": f"What is to be known of Land{k}?"} for k in (1, 2, 4)]
    (cli.home / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in offered))
    panel = [word for name in PANEL for word in ("--panel", models.model(name))]
    command = ["build", "prompts.jsonl", "--writer", models.model("writer"), *panel]
    return [*command, "--out", "mine", "--quiet", "--param", f"max_tokens={LIMIT}"]


def dry_run(cli: Cli, models: ScriptedModels, *more: str) -> dict[str, Any]:
    done = cli(*words(cli, models), "--dry-run", "--json", *more)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_no_build_costs_more_than_its_dry_run_says_at_most(
    cli: Cli, models: ReluctantModels
) -> None:
    told = dry_run(cli, models, "--max-cost", "0.01", "--max-calls", "30")
    rows = told["dry_run"]
    assert not models.counts
    assert cli(*words(cli, models)).returncode == 0
    assert len(cli.json("mine/tuples.json")) == 3
    assert sum(models.counts.values()) == sum(row["most"]["to_buy"] for row in rows)
    assert sum(row["usd"] for row in rows) < models.bill <= sum(row["most"]["usd"] for row in rows)
    calls, dollars = told["ceilings"]
    assert "up to 45 calls: it may stop at --max-calls 30" in calls
    assert "--max-cost 0.01" in dollars
    left = dry_run(cli, models)["dry_run"]
    assert [(row["to_buy"], row["most"]["usd"]) for row in left] == [(0, 0)] * 3


def test_a_ceiling_holds_and_without_it_the_build_goes_on_where_it_was(
    cli: Cli, models: ReluctantModels
) -> None:
    rows = dry_run(cli, models)["dry_run"]
    ceiling = 0.4 * sum(row["most"]["usd"] for row in rows)
    stopped = cli(*words(cli, models), "--max-cost", f"{ceiling:.6f}")
    assert stopped.returncode == 3
    assert 0 < models.bill <= ceiling
    assert cli.json("mine/build.json")["open"]
    assert cli(*words(cli, models)).returncode == 0
    assert cli.json("mine/build.json")["open"] == []
    assert sum(models.counts.values()) == sum(row["most"]["to_buy"] for row in rows)


def test_where_no_price_is_known_no_highest_cost_is_told(cli: Cli, models: ReluctantModels) -> None:
    command = words(cli, models)
    (cli.home / "rmjudge.toml").unlink()
    rows = json.loads(cli(*command, "--dry-run", "--json").stdout)["dry_run"]
    assert {row["most"]["usd"] for row in rows} == {None}
    assert [row["most"]["output_tokens"] for row in rows] == [27 * LIMIT, 9 * LIMIT, 9 * LIMIT]
