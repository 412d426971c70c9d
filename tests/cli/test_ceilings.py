"""`--max-calls` and `--max-cost`: hard ceilings of what a run buys, and it goes on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

PLANNED = 108  # a judge's calls, over three tuples of each domain
PRICE = '[prices."openai/judge"]\ninput = 1000.0\noutput = 5000.0\n'


def command(server: ModelServer, *words: str) -> tuple[str, ...]:
    return ("run", server.judge, "--limit", "3", "--out", "o", *words)


@pytest.mark.parametrize("most", [1, 7, PLANNED - 1])
def test_no_more_calls_are_sent_than_the_ceiling(cli: Cli, server: ModelServer, most: int) -> None:
    server.control(latency_s=0.01)
    done = cli(*command(server, "--max-calls", str(most)))
    assert done.returncode == 3
    assert server.stats["received"] == most
    assert f"--max-calls {most} is reached" in done.stderr
    assert "to go on, run:" in done.stderr


@pytest.mark.parametrize(
    ("rate", "faults"), [("600", []), ("60000", ["status:503:retry-after=1"])], ids=["rate", "wait"]
)
def test_calls_that_wait_for_a_rate_or_a_server_are_still_sent(
    cli: Cli, server: ModelServer, rate: str, faults: list[str]
) -> None:
    server.control(script=["ok", *faults])
    done = cli(*command(server, "--max-calls", "7", "--rpm", rate))
    assert done.returncode == 3
    assert server.stats["received"] == 7
    answered = PLANNED - cli.json("o/metrics.json")["unscored_cells"]
    assert answered == 7 - len(faults)


def test_a_ceiling_that_suffices_changes_nothing(cli: Cli, server: ModelServer) -> None:
    done = cli(*command(server, "--max-calls", str(PLANNED)))
    assert done.returncode == 0


def test_a_batch_is_cut_at_the_ceiling(cli: Cli, server: ModelServer) -> None:
    done = cli("run", server.reward, "--limit", "3", "--out", "o", "--max-calls", "40")
    assert done.returncode == 3
    assert cli.json("o/run.json")["calls"]["sent"] == 40


def test_the_ceiling_is_one_for_all_hosted_models_of_the_run(cli: Cli, server: ModelServer) -> None:
    other = server.judge.replace("judge", "other")
    cli("run", server.judge, other, "--limit", "3", "--out", "o", "--max-calls", "30")
    assert server.stats["received"] == 30


def test_scorers_that_cost_nothing_are_not_counted(cli: Cli) -> None:
    done = cli("run", "baseline/length", "--limit", "3", "--max-calls", "1")
    assert done.returncode == 0


def test_the_same_command_again_buys_as_many_more_and_ends_complete(
    cli: Cli, server: ModelServer
) -> None:
    codes = [cli(*command(server, "--max-calls", "50")).returncode for _ in range(3)]
    stats = server.stats
    assert codes == [3, 3, 0]
    assert (stats["received"], stats["most_delivered_of_one"]) == (PLANNED, 1)


def test_a_run_never_spends_more_than_its_ceiling(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    server.control(latency_s=0.01)
    bounded = ("--param", "max_completion_tokens=30", "--param", "max_tokens=30")
    done = cli(*command(server, "--max-cost", "20", *bounded))
    run = cli.json("o/run.json")
    tokens, cost = run["tokens"], run["cost"]["usd"]
    assert done.returncode == 3
    assert "--max-cost 20 is reached" in done.stderr
    assert cost == pytest.approx((tokens["input"] * 1000 + tokens["output"] * 5000) / 1e6)
    # A request of 3 kB counts as 3,000 tokens until the server has counted them.
    assert 20 - 5 < cost <= 20


def test_a_call_is_counted_as_if_all_of_it_were_written_to_the_vendor_s_cache(
    cli: Cli, server: ModelServer
) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE + "stored_input = 2000.0\n")
    bounded = ("--param", "max_completion_tokens=30", "--param", "max_tokens=30")
    done = cli(*command(server, "--max-cost", "3", *bounded))

    assert done.returncode == 3
    assert server.stats["received"] == 0  # at `input` alone, its 2 kB would cost 2 dollars


def test_calls_under_way_are_counted_at_the_most_they_can_cost(
    cli: Cli, server: ModelServer
) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    server.control(latency_s=0.05)
    words = ("--max-cost", "20", "--concurrency", "16", "--param", "max_tokens=2000")
    cli(*command(server, *words))
    # A reply of 2000 tokens would cost 10 dollars, so two at once would be too many.
    assert server.stats["most_in_flight"] == 1


def test_a_ceiling_of_cost_needs_a_price(cli: Cli, server: ModelServer) -> None:
    done = cli(*command(server, "--max-cost", "1"))
    assert done.returncode == 2
    assert '[prices."openai/judge"]' in done.stderr
    assert server.stats["received"] == 0


def test_a_ceiling_of_cost_needs_a_limit_of_the_reply(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    unlimited = ("--param", "max_tokens=null", "--param", "max_completion_tokens=null")
    done = cli(*command(server, "--max-cost", "1", *unlimited))
    assert done.returncode == 2
    assert "--param max_tokens=4096" in done.stderr


def test_what_a_lost_connection_may_have_cost_counts_as_spent(
    cli: Cli, server: ModelServer
) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    server.control(script=["cut"])
    words = ("--max-cost", "20", "--concurrency", "1", "--param", "max_tokens=1500")
    cli(*command(server, *words))
    calls = cli.json("o/run.json")
    assert calls["calls"]["maybe_billed"] == 1
    server.reset()
    cli(*command(server, *words), "--cache-dir", "other")
    assert calls["cost"]["usd"] < cli.json("o/run.json")["cost"]["usd"]


def test_every_attempt_counts_as_a_call(cli: Cli, server: ModelServer) -> None:
    server.control(script=["status:500", "ok"] * 4)
    done = cli(*command(server, "--max-calls", "10", "--concurrency", "1"))
    assert done.returncode == 3
    assert server.stats["received"] == 10


def test_a_retry_whose_first_attempt_may_be_billed_must_fit_as_well(
    cli: Cli, server: ModelServer
) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    server.control(script=["status:504"] * 5)
    # One call may cost up to some 13 dollars: two fit into 30, three do not.
    words = ("--max-cost", "30", "--concurrency", "1", "--param", "max_tokens=2000")
    done = cli(*command(server, *words))
    assert done.returncode == 3
    assert server.stats["received"] == 2


def test_retries_that_wait_for_each_other_s_room_end_the_run(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    server.control(script=["status:504"] * 9, latency_s=0.2)
    words = ("--max-cost", "30", "--concurrency", "2", "--param", "max_tokens=2000")
    with cli.start(*command(server, *words)) as process:
        process.communicate(timeout=30)
    assert process.returncode == 3
    assert server.stats["received"] == 2


def test_a_paid_reply_without_an_answer_is_part_of_the_cost(cli: Cli, server: ModelServer) -> None:
    (cli.home / "rmjudge.toml").write_text(PRICE)
    one = ("run", server.judge, "--limit", "1", "--domain", "chat", "--concurrency", "1")
    cli(*one, "--out", "plain", "--cache-dir", "a")
    server.reset()
    server.control(script=["null-content", "ok"] * 9)
    cli(*one, "--out", "twice", "--cache-dir", "b")
    tokens = [cli.json(f"{out}/run.json")["tokens"]["input"] for out in ("plain", "twice")]
    assert server.stats["delivered"] == 18
    assert tokens[1] == 2 * tokens[0]
