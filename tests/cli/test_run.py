"""`rmjudge run`: what it computes, asks, writes and prints, as a user starts it."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from subprocess import CompletedProcess

    from command import Cli
    from served import ModelServer

BASELINES = ("baseline/length", "baseline/markdown", "baseline/random")
METRICS_KEYS = {
    "format",
    "scorer",
    "method",
    "order",
    "tuples",
    "complete",
    "missing_domains",
    "domains",
    "easy",
    "normal",
    "hard",
    "average",
    "strict",
    "half_credit",
    "tie_rate",
    "unscored_cells",
    "bounds",
}
DOMAIN_KEYS = {"tuples", "matrix", "easy", "normal", "hard", "average", "unscored_cells"}


@pytest.fixture(scope="module")
def baselines(new_cli: Callable[[], Cli]) -> tuple[Cli, CompletedProcess[str]]:
    """All baselines over the whole sample, once for several tests."""
    cli = new_cli()
    return cli, cli("run", *BASELINES, "--data", "sample", "--out", "o")


def last_line(text: str) -> str:
    """What stands last; progress of a slow moment may stand before it."""
    return text.splitlines()[-1]


def test_the_three_baselines_score_the_sample_without_a_key(
    baselines: tuple[Cli, CompletedProcess[str]],
) -> None:
    cli, done = baselines
    assert (done.returncode, last_line(done.stderr)) == (0, "results: o")
    assert {str(path.relative_to(cli.home / "o")) for path in (cli.home / "o").glob("*/*")} == {
        f"baseline-{kind}/{name}"
        for kind in ("length", "markdown", "random")
        for name in ("metrics.json", "results.jsonl", "run.json")
    }


@pytest.mark.parametrize("kind", ["length", "markdown", "random"])
def test_metrics_have_the_documented_keys(
    baselines: tuple[Cli, CompletedProcess[str]], kind: str
) -> None:
    metrics = baselines[0].json(f"o/baseline-{kind}/metrics.json")
    assert set(metrics) >= METRICS_KEYS
    assert list(metrics["domains"]) == ["chat", "math", "code", "safety"]
    assert all(set(domain) >= DOMAIN_KEYS for domain in metrics["domains"].values())


def test_the_whole_sample_is_complete(baselines: tuple[Cli, CompletedProcess[str]]) -> None:
    metrics = baselines[0].json("o/baseline-random/metrics.json")
    assert (metrics["tuples"], metrics["complete"], metrics["missing_domains"]) == (40, True, [])


def test_the_length_baseline_wins_easy_cells_and_loses_hard_ones(
    baselines: tuple[Cli, CompletedProcess[str]],
) -> None:
    metrics = baselines[0].json("o/baseline-length/metrics.json")
    assert metrics["hard"] < 0.15
    assert metrics["easy"] > 0.85


@pytest.fixture(scope="module")
def mixed(
    request: pytest.FixtureRequest, new_cli: Callable[[], Cli]
) -> tuple[Cli, CompletedProcess[str], int]:
    """A judge, a reward server and a baseline in one command, and how many calls it sent."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    words = ("--limit", "1", "--seed", "7", "--out", "o", "--json")
    done = cli("run", server.judge, server.reward, "baseline/length", *words)
    return cli, done, server.stats["received"]


def test_a_judge_a_reward_server_and_a_baseline_run_in_one_command(
    mixed: tuple[Cli, CompletedProcess[str], int],
) -> None:
    cli, done, sent = mixed
    assert (done.returncode, last_line(done.stderr)) == (0, "results: o")
    folders = ("openai-judge", "vllm-rm", "baseline-length")
    methods = [cli.json(f"o/{folder}/metrics.json")["method"] for folder in folders]
    assert methods == ["pairwise", "pointwise", "pointwise"]
    # Four tuples: 9 comparisons and 6 rewards each.
    assert sent == 4 * (9 + 6)


def test_json_prints_one_object_on_standard_output_and_nothing_else(
    mixed: tuple[Cli, CompletedProcess[str], int],
) -> None:
    cli, done, _ = mixed
    judge, reward, length = json.loads(done.stdout)["scorers"]
    assert judge["hard"] == cli.json("o/openai-judge/metrics.json")["hard"]
    assert (reward["scorer"], length["scorer"]) == ("vllm/rm", "baseline/length")


def test_results_hold_a_line_per_tuple_with_rewards_or_a_matrix(
    mixed: tuple[Cli, CompletedProcess[str], int],
) -> None:
    judged, rewarded = (
        [json.loads(line) for line in mixed[0].results(f"o/{name}")["results.jsonl"].splitlines()]
        for name in ("openai-judge", "vllm-rm")
    )
    assert [line["id"] for line in judged] == [line["id"] for line in rewarded]
    assert [len(row) for line in judged for row in line["matrix"]] == [3] * 12
    assert all(len(line["score_chosen"]) == len(line["score_rejected"]) == 3 for line in rewarded)


def test_run_json_says_what_was_asked_and_what_happened(
    mixed: tuple[Cli, CompletedProcess[str], int],
) -> None:
    run = mixed[0].json("o/openai-judge/run.json")
    assert (run["options"]["seed"], run["data"]["tuples"]) == (7, 4)
    assert run["tokens"]["output"] == 9 * 36
    assert run["calls"] == {
        "planned": 36,
        "from_cache": 0,
        "sent": 36,
        "retried": 0,
        "failed": 0,
        "unscored": 0,
        "maybe_billed": 0,
    }


@pytest.fixture(scope="module")
def partial(new_cli: Callable[[], Cli]) -> tuple[Cli, CompletedProcess[str]]:
    """A run over a part of the data, with a folder of its own choice."""
    cli = new_cli()
    words = ("--domain", "math", "--domain", "chat", "--limit", "2")
    return cli, cli("run", "baseline/length", *words)


def test_results_go_to_a_folder_named_after_the_run_by_default(
    partial: tuple[Cli, CompletedProcess[str]],
) -> None:
    cli, done = partial
    (folder,) = (cli.home / "runs").iterdir()
    assert folder.name.startswith("baseline-length-sample-")
    assert last_line(done.stderr) == f"results: runs/{folder.name}"


def test_limit_keeps_the_first_tuples_of_each_domain(
    partial: tuple[Cli, CompletedProcess[str]],
) -> None:
    (results,) = partial[0].home.rglob("results.jsonl")
    ids = [json.loads(line)["id"] for line in results.read_text().splitlines()]
    assert ids == [101, 102, 201, 202]


def test_domain_leaves_the_other_domains_out_and_says_so(
    partial: tuple[Cli, CompletedProcess[str]],
) -> None:
    cli, done = partial
    (path,) = cli.home.rglob("metrics.json")
    metrics = json.loads(path.read_text())
    assert done.returncode == 0
    assert (list(metrics["domains"]), metrics["complete"]) == (["chat", "math"], False)
    assert metrics["missing_domains"] == ["code", "safety"]
    assert "code, safety missing" in done.stdout


def test_both_orders_ask_18_times_a_tuple_and_measure_swap_consistency(
    cli: Cli, server: ModelServer
) -> None:
    done = cli(
        "run", server.judge, "--order", "both", "--domain", "code", "--limit", "1", "--out", "o"
    )

    position = cli.json("o/metrics.json")["position"]
    assert done.returncode == 0
    assert server.stats["delivered"] == 18
    assert 0 <= position["swap_consistency"] <= 1
    assert "Verdicts that survive the swap" in done.stdout


def test_adaptive_is_another_name_of_both_and_says_so(cli: Cli, server: ModelServer) -> None:
    words = ("run", server.judge, "--domain", "code", "--limit", "1")
    done = cli(*words, "--order", "adaptive", "--out", "adaptive")
    assert "--order adaptive is another name of --order both" in done.stderr
    assert cli.json("adaptive/metrics.json")["order"] == "both"
    cli(*words, "--order", "both", "--out", "both")
    assert server.stats["delivered"] == 18
    assert cli.results("adaptive") == cli.results("both")


def test_a_param_reaches_every_request(cli: Cli, server: ModelServer) -> None:
    words = ("run", server.judge, "--domain", "code", "--limit", "1", "--out", "o")
    cli(*words)
    cli(*words, "--param", "temperature=0.5")
    # Other parameters, other answers: nothing of the first run serves the second.
    assert server.stats["distinct"] == 18
    assert cli.json("o/run.json")["identity"]["params"] == {"temperature": 0.5}


def test_base_url_says_where_the_one_hosted_model_is(cli: Cli, server: ModelServer) -> None:
    done = cli(
        "run",
        "openai/judge",
        "baseline/length",
        "--base-url",
        f"{server.root}/v1",
        "--domain",
        "code",
        "--limit",
        "1",
    )
    assert done.returncode == 0, done.stderr
    assert server.stats["delivered"] == 9


def test_a_provider_variable_says_where_the_model_is(cli: Cli, server: ModelServer) -> None:
    done = cli("run", "vllm/rm", "--domain", "code", "--limit", "1", VLLM_BASE_URL=server.root)
    assert done.returncode == 0, done.stderr
    assert server.stats["delivered"] == 6


def test_python_dash_m_is_the_same_command(cli: Cli) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rmjudge", "run", "baseline/length", "--out", "o", "--frob"],
        cwd=cli.home,
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rmjudge: unrecognized arguments: --frob")


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["cache", "explain", "--help"]])
def test_help_fits_in_100_columns_and_exits_with_0(cli: Cli, words: list[str]) -> None:
    done = cli(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_version_is_that_of_the_installed_package(cli: Cli) -> None:
    assert cli("--version").stdout == "rmjudge 0.1.0\n"


def test_no_command_at_all_prints_the_help_and_is_wrong_usage(cli: Cli) -> None:
    done = cli()
    assert done.returncode == 2
    assert "rmjudge report runs/*" in done.stdout
