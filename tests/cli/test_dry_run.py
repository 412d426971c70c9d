"""`rmjudge run --dry-run`: what would be called and bought, and not a single call."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

KEY = "sk-canary-7f3a9c51e2d84b60"
CALLS = 36  # a judge's, over one tuple of each domain


def estimates(cli: Cli, *words: str, **variables: str) -> list[dict[str, Any]]:
    done = cli("run", *words, "--limit", "1", "--dry-run", "--json", **variables)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["dry_run"]
    return found


def test_a_dry_run_plans_every_call_and_makes_none(cli: Cli, server: ModelServer) -> None:
    (judge, reward) = estimates(cli, server.judge, server.reward, "--out", "o")

    assert (judge["planned"], judge["from_cache"], judge["to_buy"]) == (CALLS, 0, CALLS)
    assert (reward["planned"], reward["from_cache"], reward["to_buy"]) == (24, 0, 24)
    assert server.stats["received"] == 0
    assert not (cli.home / "o").exists()


def test_what_is_in_the_cache_is_not_to_be_bought(cli: Cli, server: ModelServer) -> None:
    cli("run", server.judge, "--limit", "1", "--domain", "chat")
    (judge,) = estimates(cli, server.judge)
    assert (judge["planned"], judge["from_cache"], judge["to_buy"]) == (CALLS, 9, CALLS - 9)
    assert server.stats["received"] == 9


@pytest.mark.parametrize(("order", "planned"), [("seeded", 36), ("both", 72), ("adaptive", 72)])
def test_the_most_that_an_order_may_ask_is_planned(
    cli: Cli, server: ModelServer, order: str, planned: int
) -> None:
    (judge,) = estimates(cli, server.judge, "--order", order)
    assert judge["planned"] == planned


def test_a_list_price_at_the_vendors_own_address_gives_the_cost(cli: Cli) -> None:
    (judge,) = estimates(cli, "openai/gpt-4.1", OPENAI_API_KEY=KEY)
    # 2 and 8 US dollars per million tokens.
    dollars = (2 * judge["input_tokens"] + 8 * judge["output_tokens"]) / 1e6
    assert dollars > 0
    assert judge["cost"] == {"usd": pytest.approx(dollars), "known": True}


def test_the_same_model_at_another_address_has_no_known_cost(cli: Cli, server: ModelServer) -> None:
    (judge,) = estimates(cli, f"openai/gpt-4.1@{server.root}/v1")
    assert judge["cost"] == {"usd": None, "known": False}


def test_a_price_of_rmjudge_toml_holds_at_any_address(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text('[prices."openai/judge"]\ninput = 3\noutput = 0\n')
    (judge,) = estimates(cli, server.judge)
    dollars = 3 * judge["input_tokens"] / 1e6
    assert judge["cost"] == {"usd": pytest.approx(dollars), "known": True}


def test_the_table_shows_calls_tokens_and_known_unknown_and_no_cost(
    cli: Cli, server: ModelServer
) -> None:
    done = cli(
        *("run", "openai/gpt-4.1", server.judge, "baseline/length"),
        *("--limit", "1", "--dry-run"),
        OPENAI_API_KEY=KEY,
    )
    rows = {words[0]: words[1:] for line in done.stdout.splitlines() if (words := line.split())}
    assert done.returncode == 0, done.stderr
    assert "nothing was called" in done.stdout
    assert rows["openai/gpt-4.1"][:3] == ["36", "0", "36"]
    assert rows["openai/gpt-4.1"][-1].startswith("$0.")
    assert rows["openai/judge"][-1] == "unknown"
    assert rows["baseline/length"][-1] == "free"
    assert KEY not in done.stdout + done.stderr
