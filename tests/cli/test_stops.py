"""Runs that end badly: calls without a score, providers that say no, keys that must not leak."""

from __future__ import annotations

import shlex
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from subprocess import CompletedProcess

    from command import Cli
    from served import ModelServer

KEY = "sk-canary-7f3a9c51e2d84b60"
CALLS = 36  # a judge's, over one tuple of each domain


def judge(server: ModelServer, *words: str) -> tuple[str, ...]:
    return ("run", server.judge, "--limit", "1", "--concurrency", "2", "--out", "o", *words)


def resume_words(done: CompletedProcess[str]) -> list[str]:
    """The command that the program says goes on with the run."""
    _, _, rest = done.stderr.partition("every answer so far is kept; to go on, run:\n")
    return shlex.split(rest.splitlines()[0])


def files_holding(cli: Cli, text: str) -> list[str]:
    """Files of the whole home folder that hold a text."""
    found = [path for path in cli.home.rglob("*") if path.is_file()]
    assert any(path.name == "cache.db" for path in found)
    return [str(path) for path in found if text.encode() in path.read_bytes()]


def test_unparsed_verdicts_end_in_1_counted_and_shown_with_bounds(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=["no-verdict", "contradiction", "no-verdict"])
    done = cli(*judge(server, "--limit", "2"))

    metrics, run = cli.json("o/metrics.json"), cli.json("o/run.json")
    assert done.returncode == 1
    assert metrics["unscored_cells"] == run["calls"]["unscored"] == 3
    assert metrics["bounds"]["low"] < metrics["average"] < metrics["bounds"]["high"]
    assert not metrics["complete"]
    assert run["statuses"] == {"unparsed": 3}
    assert "3 of 72 cells not scored; average between" in done.stdout


def test_unscored_answers_are_paid_for_and_never_bought_again(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=["no-verdict", "refusal", "content-filter", "length"])
    first = cli(*judge(server))
    files, bought = cli.results("o"), server.stats["received"]
    again = cli(*judge(server))

    assert (first.returncode, again.returncode) == (1, 1)
    assert server.stats["received"] == bought == CALLS
    assert cli.results("o") == files
    assert cli.json("o/run.json")["statuses"] == {
        "content-filter": 1,
        "refusal": 1,
        "truncated": 1,
        "unparsed": 1,
    }


def test_a_reward_that_is_no_number_is_unscored(cli: Cli, server: ModelServer) -> None:
    server.control(script=["reward:NaN"])
    done = cli("run", server.reward, "--domain", "chat", "--limit", "1", "--out", "o")
    assert done.returncode == 1
    assert cli.json("o/run.json")["statuses"] == {"not-a-number": 1}


def test_calls_that_failed_for_good_end_in_1_and_are_asked_again(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=["ok", "context"])
    first = cli(*judge(server))
    assert first.returncode == 1
    assert cli.json("o/run.json")["calls"]["failed"] == 1

    assert cli(*judge(server)).returncode == 0
    assert server.stats["received"] == CALLS + 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("status:401", "HTTP 401: status 401 as asked"),
        ("status:402", "HTTP 402: status 402 as asked"),
        ("status:403", "HTTP 403: status 403 as asked"),
        ("status:404", "HTTP 404: status 404 as asked"),
        ("quota", "HTTP 429: You exceeded your current quota"),
    ],
)
def test_a_final_no_of_the_provider_stops_the_run_with_its_words(
    cli: Cli, server: ModelServer, fault: str, words: str
) -> None:
    server.control(faults=[fault], rate=1)
    done = cli(*judge(server))

    assert done.returncode == 3
    assert "rmjudge: stopped: openai/judge: " in done.stderr
    assert words in done.stderr
    assert resume_words(done) == ["rmjudge", *judge(server)]
    # No more than were under way when it said no.
    assert server.stats["received"] <= 2


def test_a_stopped_run_keeps_its_answers_and_goes_on(cli: Cli, server: ModelServer) -> None:
    server.control(script=["ok"] * 10 + ["quota"])
    stopped = cli(*judge(server, "--concurrency", "1"))
    assert stopped.returncode == 3
    assert cli.json("o/run.json")["stopped"].endswith("You exceeded your current quota")

    done = cli(*resume_words(stopped)[1:])
    assert done.returncode == 0, done.stderr
    assert server.stats["delivered"] == server.stats["distinct"] == CALLS
    assert cli.json("o/run.json")["calls"]["from_cache"] == 10


def test_one_refused_scorer_does_not_stop_the_others(cli: Cli, server: ModelServer) -> None:
    done = cli(
        "run", f"openai/judge@{server.root}/elsewhere", server.reward, "--limit", "1", "--out", "o"
    )
    assert done.returncode == 3
    assert cli.json("o/vllm-rm/metrics.json")["complete"]
    assert not cli.json("o/openai-judge/metrics.json")["complete"]


def test_an_echoed_key_is_struck_out_of_the_message(cli: Cli, server: ModelServer) -> None:
    server.control(faults=["key"], rate=1)
    done = cli(*judge(server), OPENAI_API_KEY=KEY)

    assert done.returncode == 3
    assert "Incorrect API key provided: [key removed]" in done.stderr
    assert KEY not in done.stdout + done.stderr
    assert files_holding(cli, KEY) == []


def test_the_key_goes_to_the_server_and_nowhere_else(cli: Cli, server: ModelServer) -> None:
    server.control(script=["no-verdict", "status:503", "html", "key"])
    done = cli(*judge(server, "--json"), OPENAI_API_KEY=KEY, VLLM_API_KEY=f"{KEY}-other")

    sent = {headers.get("authorization") for headers in server.stats["headers"]}
    assert sent == {f"Bearer {KEY}"}
    assert KEY not in done.stdout + done.stderr
    assert files_holding(cli, KEY) == []


def test_hostile_text_of_a_model_reaches_no_terminal_raw(cli: Cli, server: ModelServer) -> None:
    server.control(faults=["hostile", "no-verdict"], rate=1)
    done = cli(*judge(server))
    assert "\x1b" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_results_folder_that_cannot_be_made_is_refused_before_a_call(
    cli: Cli, server: ModelServer
) -> None:
    (cli.home / "o").write_text("a file in the way")
    done = cli(*judge(server))
    assert done.returncode == 2
    assert "the results cannot be written to o" in done.stderr
    assert server.stats["received"] == 0


def test_a_results_folder_that_is_lost_in_mid_run_loses_no_answer(
    cli: Cli, server: ModelServer
) -> None:
    server.control(latency_s=0.1)
    with cli.start(*judge(server, "--out", "o/first")) as process:
        while not server.stats["received"]:
            assert process.poll() is None
            time.sleep(0.01)
        (cli.home / "o").write_text("a file in the way")
        _, err = process.communicate()
    assert process.returncode == 3
    assert "the same command with another --out buys nothing" in err

    assert cli(*judge(server, "--out", "elsewhere")).returncode == 0
    assert server.stats["received"] == CALLS


def test_an_unusable_cache_is_found_before_the_first_call(cli: Cli, server: ModelServer) -> None:
    (cli.home / "c").write_text("a file in the way")
    done = cli(*judge(server, "--cache-dir", "c"))
    assert done.returncode == 3
    assert "the cache c cannot keep answers" in done.stderr
    assert server.stats["received"] == 0
