"""One scorer on several benchmarks in one run, on real texts where they are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from served import ModelServer

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
LLMBAR = DATA / "llmbar" / "LLMBar"
JUDGEBENCH = DATA / "judgebench" / "dataset=judgebench,response_model=gpt-4o-2024-05-13.jsonl"
real = pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")

PAIRS: list[dict[str, Any]] = [
    {"prompt": f"Question {n}?", "chosen": "A good answer. " * (n + 1), "rejected": "Bad."}
    for n in range(6)
]


def lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def metrics_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return found


def test_own_pairs_run_with_a_judge_a_reward_model_and_a_baseline(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    lines(home / "mine.jsonl", PAIRS)
    models = (server.judge, server.reward, "baseline/length")
    done = cli("run", *models, "--data", "mine.jsonl", "--out", "r")
    assert done.returncode == 0, done.stderr
    assert "Preference pairs" in done.stdout
    assert metrics_of(home / "r" / "baseline-length")["headline"] == 1.0
    (judge,) = (path for path in (home / "r").iterdir() if path.name.startswith("openai"))
    rows = [json.loads(line) for line in (judge / "results.jsonl").read_text().splitlines()]
    known = [row["pairs"][0][2][0] for row in rows]
    assert metrics_of(judge)["averages"]["micro"]["half_credit"] == pytest.approx(
        sum(known) / len(known)
    )
    again = cli("run", *models, "--data", "mine.jsonl", "--out", "again")
    assert again.returncode == 0, again.stderr
    assert run_of(home / "again" / judge.name)["calls"]["sent"] == 0
    for name in ("metrics.json", "results.jsonl"):
        assert (home / "again" / judge.name / name).read_bytes() == (judge / name).read_bytes()


def test_texts_that_two_sets_share_are_bought_once(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    lines(home / "mine.jsonl", PAIRS)
    best = [{**row, "rejected": [row["rejected"], f"Other {n}."]} for n, row in enumerate(PAIRS)]
    lines(home / "best.jsonl", best)
    (home / "best.toml").write_text(
        'name = "best"\n[fields]\nprompt = "prompt"\nchosen = "chosen"\nrejected = "rejected"\n'
        '[score]\nkind = "best"\n'
    )
    done = cli("run", server.reward, "--data", "mine.jsonl", "--out", "one")
    assert done.returncode == 0, done.stderr
    done = cli("run", server.reward, "--data", "best.jsonl", "--as", "best.toml", "--out", "two")
    assert done.returncode == 0, done.stderr
    calls = run_of(home / "two")["calls"]
    assert (calls["planned"], calls["from_cache"], calls["sent"]) == (18, 12, 6)


def test_rm_bench_beside_another_set_has_the_bytes_that_it_has_alone(cli: Cli, home: Path) -> None:
    lines(home / "mine.jsonl", PAIRS)
    assert cli("run", "baseline/length", "--out", "alone").returncode == 0
    both = ("--data", "sample", "--data", "mine.jsonl")
    done = cli("run", "baseline/length", *both, "--out", "both")
    assert done.returncode == 0, done.stderr
    assert "RM-Bench" in done.stdout
    for name in ("metrics.json", "results.jsonl"):
        assert (home / "both/rm-bench" / name).read_bytes() == (home / "alone" / name).read_bytes()
    shown = cli("report", "both")
    assert "One scorer, several benchmarks" in shown.stdout
    refused = cli("leaderboard", "both")
    assert refused.returncode == 2
    assert "a leaderboard is of one benchmark" in refused.stderr
    assert "both/rm-bench" in refused.stderr


@pytest.mark.parametrize(
    ("rows", "words", "told"),
    [
        ([{"prompt": "?", "chosen": "a"}], ("--as", "pairs"), "rejected is missing"),
        ([{**PAIRS[0], "images": ["x.png"]}], (), "items with images are not supported"),
        ([{**PAIRS[0], "id": 1}, {**PAIRS[1], "id": 1}], (), "ids are unique"),
        ([{"question": "?", "good": "a", "bad": "b"}], (), "are read with --map"),
        ([PAIRS[0]], ("--as", "judgebnch"), "did you mean judgebench?"),
        ([PAIRS[0]], ("--map", "promt=x"), "did you mean prompt?"),
        ([PAIRS[0]], ("--domain", "chat"), "--domain is for RM-Bench's tuples"),
        ([PAIRS[0]], ("--cells", "3"), "--cells is for RM-Bench's tuples"),
        (
            [PAIRS[0]],
            ("--as", "pairs", "--as", "llmbar"),
            "--as is given as pairs and as llmbar; a command takes one: use a command for each",
        ),
        (
            [PAIRS[0]],
            ("--map", "chosen=a", "--map", "chosen=b"),
            "--map says both chosen=a and chosen=b; give one of them",
        ),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_called(
    cli: Cli, home: Path, rows: list[dict[str, Any]], words: tuple[str, ...], told: str
) -> None:
    lines(home / "mine.jsonl", rows)
    done = cli("run", "baseline/length", "--data", "mine.jsonl", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_an_option_that_says_the_same_again_is_taken(cli: Cli, home: Path) -> None:
    lines(home / "mine.jsonl", PAIRS)
    twice = ("--as", "pairs", "--as", "pairs", "--map", "id=prompt", "--map", "id=prompt")
    done = cli("run", "baseline/length", "--data", "mine.jsonl", *twice, "--out", "r")
    assert done.returncode == 0, done.stderr
    refused = cli("data", "check", "mine.jsonl", "--as", "pairs", "--as", "llmbar")
    assert (refused.returncode, refused.stdout) == (2, "")


@pytest.mark.parametrize(
    "row",
    [
        {
            "chosen": "\n\nHuman: Hi\n\nAssistant: Hello there",
            "rejected": "\n\nHuman: Hi\n\nAssistant: No",
        },
        {
            "prompt": "Hi",
            "chosen": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello!"},
            ],
            "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "No"}],
        },
        {
            "context": [{"role": "user", "content": "Hi"}],
            "response1": "No",
            "response2": "Hello",
            "overall_preference": 2,
        },
    ],
    ids=["hh", "ultrafeedback", "helpsteer3"],
)
def test_known_columns_are_recognised(cli: Cli, home: Path, row: dict[str, Any]) -> None:
    lines(home / "mine.jsonl", [row])
    done = cli("run", "baseline/length", "--data", "mine.jsonl", "--out", "r")
    assert done.returncode == 0, done.stderr
    assert metrics_of(home / "r")["headline"] == 1.0


@real
def test_longer_wins_on_the_real_sets_is_what_was_counted_on_their_files(cli: Cli) -> None:
    done = cli("data", "check", LLMBAR, "--json")
    assert done.returncode == 0, done.stderr
    found = {row["Subset"]: row["Longer wins"][:2] for row in json.loads(done.stdout)["llmbar"]}
    assert found["Natural"] == "56"
    assert (found["Neighbor"], found["Manual"]) == ("11", "17")


def test_judgebench_is_downloaded_once_and_verified(cli: Cli, tmp_path: Path) -> None:
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    (tmp_path / JUDGEBENCH.name).write_text("{}")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        words = ("run", "baseline/length", "--data", "judgebench", "--out", "r")
        other = cli(*words, RMJUDGE_JUDGEBENCH_URL=url)
        assert other.returncode == 2
        assert "not the published file" in other.stderr
        if DATA.exists():
            (tmp_path / JUDGEBENCH.name).write_bytes(JUDGEBENCH.read_bytes())
            assert cli(*words, RMJUDGE_JUDGEBENCH_URL=url).returncode == 0
            (tmp_path / JUDGEBENCH.name).unlink()
            assert cli(*words, RMJUDGE_JUDGEBENCH_URL=url).returncode == 0
            assert cli("style", "r").returncode == 0
        server.shutdown()


def test_ties_are_not_asked_of_a_judge_of_pairs_and_that_is_said(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    shared = {"num_correct": 1, "total_completions": 4, "prompt": "?"}
    rows = [
        {**shared, "id": 1, "subset": "Math", "chosen": ["a"], "rejected": ["b", "c", "d"]},
        {**shared, "id": "ref:0", "subset": "Ties", "chosen": ["e"], "rejected": ["f"]},
        {**shared, "id": "tied:0", "subset": "Ties", "chosen": ["e", "g"], "rejected": ["f"]},
    ]
    lines(home / "rb2.jsonl", rows)
    done = cli("run", server.judge, server.reward, "--data", "rb2.jsonl", "--out", "r")
    assert done.returncode == 0, done.stderr
    judge, reward = (
        metrics_of(home / "r" / name)
        for name in sorted(path.name for path in (home / "r").iterdir())
    )
    assert set(judge["subsets"]) == {"Math"}
    assert "the subset Ties is left out" in done.stdout.replace("\n", " ")
    assert reward["subsets"]["Ties"]["ties"] is not None


def test_commands_about_nine_cells_refuse_other_sets_and_say_what_to_do(
    cli: Cli, home: Path
) -> None:
    lines(home / "mine.jsonl", PAIRS)
    models = ("baseline/length", "baseline/random")
    assert cli("run", *models, "--data", "mine.jsonl", "--out", "r").returncode == 0
    for command in ("panel", "retest"):
        refused = cli(command, "r")
        assert refused.returncode == 2
        assert "this command is about RM-Bench's nine cells" in refused.stderr
