"""`rmjudge list`: what lies in a folder of runs, and how a stopped one is gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

KEPT = Path(__file__).parents[1] / "kept"
CALLS = 36


def test_each_scorer_has_a_line_and_a_stopped_run_its_command(
    cli: Cli, server: ModelServer
) -> None:
    assert cli("run", "baseline/length", "baseline/random").returncode == 0
    server.control(script=["ok"] * 10 + ["quota"])
    words = ("run", server.judge, "--limit", "1", "--concurrency", "1")
    assert cli(*words).returncode == 3

    done = cli("list")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = [line for line in lines if "sample" in line and not line.startswith("To go on")]
    assert [row.split()[1] for row in rows] == [
        "baseline/length",
        "baseline/random",
        "openai/judge",
    ]
    assert rows[-1].split()[-1] == str(CALLS - 10)
    shown = " ".join(done.stdout.split())
    assert f"exceeded your current quota): rmjudge {' '.join(words)}" in shown
    assert shown.count("To go on") == 1

    (_, _, judge) = json.loads(cli("list", "runs", "--json").stdout)["runs"]
    assert judge["open_calls"] == CALLS - 10
    assert judge["resume"] == f"rmjudge {' '.join(words)}"
    assert judge["complete"] is False

    server.control(script=[])
    assert cli(*words).returncode == 0
    (_, _, judge) = json.loads(cli("list", "--json").stdout)["runs"]
    assert (judge["open_calls"], judge["resume"], judge["stopped"]) == (0, None, None)
    assert judge["hard"] == cli.json(f"{judge['folder']}/metrics.json")["hard"]


def test_a_stopped_run_on_pairs_of_ones_own_tells_what_is_open_as_well(
    cli: Cli, server: ModelServer
) -> None:
    pair = {"chosen": "A good answer.", "rejected": "Bad."}
    rows = [json.dumps({"prompt": f"Question {n}?", **pair}) for n in range(6)]
    (cli.home / "mine.jsonl").write_text("\n".join(rows))
    words = ("run", server.judge, "--data", "mine.jsonl", "--concurrency", "1")
    assert cli(*words, "--max-calls", "2").returncode == 3
    (judge,) = json.loads(cli("list", "--json").stdout)["runs"]
    planned = cli.json(f"{judge['folder']}/run.json")["calls"]["planned"]
    assert judge["open_calls"] == planned - 2

    assert cli(*words).returncode == 0
    assert [run["open_calls"] for run in json.loads(cli("list", "--json").stdout)["runs"]] == [0]


def test_runs_of_older_versions_are_listed(cli: Cli) -> None:
    runs = json.loads(cli("list", KEPT, "--json").stdout)["runs"]
    assert {run["scorer"] for run in runs} >= {"openai/judge", "vllm/rm", "baseline/length"}


def test_a_damaged_run_is_named_and_hides_no_other(cli: Cli) -> None:
    for name in ("length", "random"):
        assert cli("run", f"baseline/{name}", "--out", f"runs/{name}").returncode == 0
    (cli.home / "runs/random/run.json").write_text("{")
    done = cli("list")
    assert done.returncode == 0
    assert "baseline/length" in done.stdout
    assert "runs/random/run.json is no file of a run" in done.stderr


def test_a_folder_without_runs_is_told(cli: Cli) -> None:
    done = cli("list")
    assert (done.returncode, done.stdout) == (2, "")
    assert "runs: no such folder" in done.stderr
