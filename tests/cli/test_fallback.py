"""`--fallback`: whole tuples for another scorer, never silent, undone when the remote is back."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer, ServerProcess

FALLBACK = "baseline/length"
JUDGE = "openai/judge"
OWN, FILLED, MIXED = "o/openai-judge", "o/baseline-length", "o/openai-judge-baseline-length"


def command(server: ModelServer, *words: str) -> tuple[str, ...]:
    return ("run", server.judge, "--concurrency", "2", "--limit", "3", "--out", "o", *words)


def lines(cli: Cli, folder: str) -> list[dict[str, Any]]:
    text = (cli.home / folder / "results.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def is_whole(line: dict[str, Any]) -> bool:
    return all(credit is not None for row in line["matrix"] for credit in row)


def test_a_server_killed_in_mid_run_leaves_whole_tuples_to_the_fallback_until_it_is_back(
    cli: Cli, start_server: Callable[[int], ServerProcess]
) -> None:
    server = start_server(0)
    server.control(latency_s=0.02)
    words = command(server, "--outage", "1", "--fallback", FALLBACK)
    with cli.start(*words) as process:
        while server.stats["delivered"] < 40:
            time.sleep(0.01)
        server.kill()
        out, err = process.communicate()

    assert process.returncode == 1
    assert "cannot be reached" in err
    assert "the fallback scored what was left" in err
    judged = {line["id"]: line for line in lines(cli, OWN)}
    filled = {line["id"]: line for line in lines(cli, FILLED)}
    mixed = lines(cli, MIXED)
    for line in mixed:
        giver = line.pop("scorer")
        if giver == JUDGE:
            assert line == judged[line["id"]]
            assert is_whole(line)
        else:
            assert line == filled[line["id"]]
            assert not is_whole(judged[line["id"]])
    assert {line["id"] for line in mixed} == set(judged)
    assert 4 <= len(judged) - len(filled) < len(judged)

    shares = cli.json(f"{MIXED}/metrics.json")["shares"]
    theirs = {JUDGE: len(judged) - len(filled), FALLBACK: len(filled)}
    assert shares == {"by_scorer": theirs, "tuples": 12}
    assert f"{JUDGE} {theirs[JUDGE]} of 12 tuples" in " ".join(out.split())

    back = start_server(server.port)
    bought = cli.json(f"{OWN}/run.json")["calls"]
    again = cli(*words)
    calls = cli.json(f"{OWN}/run.json")["calls"]
    assert again.returncode == 0
    assert calls["from_cache"] >= theirs[JUDGE] * 9
    assert calls["sent"] == calls["planned"] - calls["from_cache"] == back.stats["received"]
    assert calls["from_cache"] <= bought["sent"]
    assert all(map(is_whole, lines(cli, OWN)))
    assert cli.results("o").keys() == {"openai-judge/metrics.json", "openai-judge/results.jsonl"}


def test_without_a_key_the_fallback_scores_everything_and_nothing_is_sent(
    cli: Cli, server: ModelServer
) -> None:
    done = cli("run", "anthropic/claude-x", "--limit", "1", "--out", "o", "--fallback", FALLBACK)
    assert done.returncode == 1
    assert server.stats["received"] == 0
    shares = cli.json("o/anthropic-claude-x-baseline-length/metrics.json")["shares"]
    assert shares["by_scorer"] == {"anthropic/claude-x": 0, FALLBACK: 4}
    assert "ANTHROPIC_API_KEY" in done.stdout


def test_without_a_fallback_a_missing_key_is_the_user_s_to_mend(cli: Cli) -> None:
    done = cli("run", "anthropic/claude-x", "--limit", "1")
    assert done.returncode == 2
    assert "ANTHROPIC_API_KEY" in done.stderr


def test_answers_kept_from_before_count_as_the_remote_s_own_without_a_key(
    cli: Cli, server: ModelServer
) -> None:
    url = {"ANTHROPIC_BASE_URL": server.root}
    paid = cli("run", "anthropic/m", "--limit", "1", "--out", "o", ANTHROPIC_API_KEY="sk-x", **url)
    again = cli("run", "anthropic/m", "--limit", "1", "--out", "o", "--offline", **url)
    assert (paid.returncode, again.returncode) == (0, 0)
    assert cli.json("o/run.json")["calls"]["from_cache"] == 36


@pytest.mark.parametrize("status", [401, 402, 403])
def test_a_refused_remote_leaves_everything_to_the_fallback(
    cli: Cli, server: ModelServer, status: int
) -> None:
    server.control(always={"status": status, "body": {"error": {"message": "no such luck"}}})
    done = cli(*command(server, "--fallback", FALLBACK))
    assert done.returncode == 1
    assert "no such luck" in done.stderr
    assert server.stats["received"] <= 2
    assert {line["scorer"] for line in lines(cli, MIXED)} == {FALLBACK}


def test_a_remote_that_answers_everything_has_no_fallback_row(
    cli: Cli, server: ModelServer
) -> None:
    done = cli(*command(server, "--fallback", FALLBACK))
    assert done.returncode == 0
    assert cli.results("o").keys() == {"openai-judge/metrics.json", "openai-judge/results.jsonl"}


def test_what_another_fallback_left_in_the_folder_is_no_part_of_the_run(
    cli: Cli, server: ModelServer
) -> None:
    cut = command(server, "--max-calls", "20")
    cli(*cut, "--fallback", FALLBACK)
    cli(*cut, "--fallback", "baseline/markdown")
    folders = {name.split("/")[0] for name in cli.results("o")}
    assert folders == {"openai-judge", "baseline-markdown", "openai-judge-baseline-markdown"}


def test_a_later_run_without_a_fallback_leaves_nothing_of_it(cli: Cli, server: ModelServer) -> None:
    cli(*command(server, "--max-calls", "20", "--fallback", FALLBACK))
    cli(*command(server))
    assert cli.results("o").keys() == {"metrics.json", "results.jsonl"}


def test_a_namesake_elsewhere_is_told_apart(cli: Cli, server: ModelServer) -> None:
    gone = "openai/judge@http://127.0.0.1:9/v1"
    words = ("--limit", "1", "--outage", "0.1", "--out", "o")
    cli("run", gone, *words, "--fallback", server.judge)
    (mixed,) = (path for path in cli.results("o") if path.endswith("v1/results.jsonl"))
    givers = {
        line["scorer"] for line in lines(cli, mixed.removesuffix("/results.jsonl").join(("o/", "")))
    }
    assert givers == {f"openai/judge at {server.root}/v1"}


def test_the_combined_row_says_whose_reading_it_headlines(cli: Cli, server: ModelServer) -> None:
    done = cli(*command(server, "--max-calls", "20", "--fallback", FALLBACK))
    told = "its headline reading is a judge's, half credit, also where baseline/length scored"
    assert told in " ".join(done.stdout.split())


def test_calls_that_cannot_be_scored_are_no_reason_for_the_fallback(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=["no-verdict"])
    done = cli(*command(server, "--fallback", FALLBACK))
    assert done.returncode == 1
    assert cli.results("o").keys() == {"openai-judge/metrics.json", "openai-judge/results.jsonl"}


def test_a_reached_ceiling_leaves_the_rest_to_the_fallback(cli: Cli, server: ModelServer) -> None:
    done = cli(*command(server, "--max-calls", "20", "--fallback", FALLBACK))
    givers = [line["scorer"] for line in lines(cli, MIXED)]
    assert done.returncode == 1
    assert givers == [JUDGE] * 2 + [FALLBACK] * 10


def test_an_interrupted_run_does_not_turn_to_the_fallback(cli: Cli, server: ModelServer) -> None:
    server.control(latency_s=0.2)
    with cli.start(*command(server, "--fallback", FALLBACK)) as process:
        while not server.stats["received"]:
            time.sleep(0.01)
        process.terminate()
        process.communicate()
    assert process.returncode == 130
    assert cli.results("o").keys() == {"openai-judge/metrics.json", "openai-judge/results.jsonl"}


def test_offline_sends_nothing_and_says_how_many_answers_are_missing(
    cli: Cli, server: ModelServer
) -> None:
    cli(*command(server, "--max-calls", "20"))
    before = server.stats["received"]
    done = cli(*command(server, "--offline"))
    assert done.returncode == 1
    assert server.stats["received"] == before == 20
    assert "88 calls are not in the cache: --offline" in " ".join(done.stdout.split())


def test_offline_goes_on_with_the_scorers_that_need_no_network(
    cli: Cli, server: ModelServer
) -> None:
    done = cli("run", server.judge, FALLBACK, "--limit", "1", "--out", "o", "--offline")
    assert done.returncode == 1
    assert cli.json("o/baseline-length/metrics.json")["unscored_cells"] == 0
    assert server.stats["received"] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("baseline/length", "--fallback", "baseline/random"), "this run has none"),
        (("baseline/length", "vllm/r@http://127.0.0.1:1", "--fallback", FALLBACK), "already"),
        (("openai/j@http://127.0.0.1:1/v1", "--fallback", "nonsense"), "no PROVIDER/MODEL"),
        (
            ("vllm/r@http://127.0.0.1:1", "--offline", "--fallback", "vllm/s@http://127.0.0.1:1"),
            "asks nothing hosted",
        ),
    ],
)
def test_a_fallback_that_could_never_help_is_refused(
    cli: Cli, words: tuple[str, ...], message: str
) -> None:
    done = cli("run", *words)
    assert done.returncode == 2
    assert message in done.stderr
