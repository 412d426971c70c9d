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
    likely, most = rows["openai/gpt-4.1"][-2:]
    assert 0 < float(likely[1:]) < float(most[1:])
    assert rows["openai/judge"][-1] == "unknown"
    assert rows["baseline/length"][-1] == "free"
    assert KEY not in done.stdout + done.stderr


def test_a_price_that_is_not_known_comes_with_the_lines_to_write(
    cli: Cli, server: ModelServer
) -> None:
    done = cli("run", server.judge, "--limit", "1", "--dry-run")
    lines = [line.strip() for line in done.stdout.splitlines()]
    at = lines.index('[prices."openai/judge"]')
    assert lines[at + 1 : at + 3] == ["input = ...", "output = ..."]


def test_the_most_is_what_every_reply_at_its_limit_costs(cli: Cli) -> None:
    words = ("openai/gpt-4.1", "--param", "max_completion_tokens=1000")
    (judge,) = estimates(cli, *words, OPENAI_API_KEY=KEY)
    most = judge["most"]
    assert most["output_tokens"] == CALLS * 1000
    assert most["input_tokens"] > judge["input_tokens"]
    dollars = (2 * most["input_tokens"] + 8 * most["output_tokens"]) / 1e6
    assert most["usd"] == pytest.approx(dollars)


def test_kept_answers_tell_what_the_next_ones_take(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text('[prices."openai/judge"]\ninput = 3\noutput = 9\n')
    (before,) = estimates(cli, server.judge)
    cli("run", server.judge, "--limit", "1", "--domain", "chat", "--domain", "math", "--out", "o")
    (after,) = estimates(cli, server.judge)
    kept, tokens = after["kept_answers"], cli.json("o/run.json")["tokens"]
    assert (before["kept_answers"], kept) == (0, 18)
    assert after["output_tokens"] == round(tokens["output"] / kept * after["to_buy"])
    assert after["output_tokens"] != before["output_tokens"] / 2
    assert after["seconds_by_kept_answers"] is True
    assert 0 < after["seconds"] < 60


def test_another_method_of_the_model_tells_nothing(cli: Cli, server: ModelServer) -> None:
    cli("run", server.judge, "--limit", "1", "--domain", "chat")
    (judge,) = estimates(cli, server.judge, "--method", "pairwise-two-level")
    assert judge["kept_answers"] == 0


@pytest.mark.parametrize(
    ("ceiling", "told"),
    [
        (("--max-calls", "35"), "stop at --max-calls 35"),
        (("--max-calls", "36"), None),
        (("--max-cost", "0.01"), "would stop at --max-cost 0.01"),
        (("--max-cost", "0.5"), "may stop at --max-cost 0.5"),
        (("--max-cost", "500"), None),
        (("--max-cost-total", "0.01"), "would stop at --max-cost-total 0.01"),
    ],
)
def test_a_ceiling_that_the_run_would_reach_is_told(
    cli: Cli, ceiling: tuple[str, ...], told: str | None
) -> None:
    words = ("run", "openai/gpt-4.1", "--limit", "1", "--dry-run", *ceiling)
    done = cli(*words, OPENAI_API_KEY=KEY)
    assert done.returncode == 0, done.stderr
    if told is None:
        assert "stop at --max" not in done.stdout
    else:
        assert told in " ".join(done.stdout.split())


def test_a_minute_s_rate_is_part_of_the_time(cli: Cli) -> None:
    (judge,) = estimates(cli, "openai/gpt-4.1", "--rpm", "6", OPENAI_API_KEY=KEY)
    assert judge["seconds"] == pytest.approx(CALLS * 10)
