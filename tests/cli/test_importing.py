"""`rmjudge import`: a folder that the other commands take for a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli


@pytest.fixture
def scores(cli: Cli) -> str:
    """A file of RM-Bench's scripts with one chat tuple."""
    item = {"id": 1, "score_chosen": [2, 2, 2], "score_rejected": [1, 2, 3]}
    (cli.home / "chat_filtered_rm_REWORD_MODEL.json").write_text(json.dumps([item]))
    return "chat_filtered_rm_REWORD_MODEL.json"


def test_the_run_can_be_reported_ranked_and_read(cli: Cli, scores: str) -> None:
    done = cli("import", scores, "--out", "o")
    assert (done.returncode, done.stderr) == (0, "results: o\n")
    report = cli("report", "o", "--format", "json")
    (scorer,) = json.loads(report.stdout)["scorers"]
    assert (scorer["scorer"], scorer["average"]) == ("rm", pytest.approx(1 / 3))
    assert scorer["note"] == f"imported from {scores} (rm-bench)"
    assert "rm" in cli("leaderboard", "o").stdout
    assert cli("readings", "o", "--as", "rm-bench").returncode == 0


def test_run_json_says_which_files_it_came_from(cli: Cli, scores: str) -> None:
    cli("import", scores, "--out", "o", "--name", "mine")
    run = cli.json("o/run.json")
    assert (run["scorer"], run["calls"]["planned"]) == ("mine", 0)
    assert (run["imported"]["format"], run["imported"]["files"]) == ("rm-bench", [scores])
    assert len(run["imported"]["sha256"][0]) == 64


def test_a_missing_score_makes_the_command_end_with_1(cli: Cli) -> None:
    item = {"id": 1, "score_chosen": [None, 2, 2], "score_rejected": [1, 2, 3]}
    (cli.home / "chat.json").write_text(json.dumps([item]))
    done = cli("import", "chat.json", "--out", "o", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["scorers"][0]["unscored_cells"] == 3


def test_an_imported_run_has_no_calls_to_explain_or_read_again(cli: Cli, scores: str) -> None:
    cli("import", scores, "--out", "o")
    for words in (
        ("cache", "explain", "o"),
        ("reparse", "o"),
        ("leaderboard", "o", "--emit-file", "f"),
    ):
        done = cli(*words)
        assert (done.returncode, done.stdout) == (2, "")
        assert f"the run was imported from {scores}" in done.stderr


def test_a_folder_with_something_in_it_is_left_alone(cli: Cli, scores: str) -> None:
    (cli.home / "o").mkdir()
    (cli.home / "o" / "mine.txt").write_text("mine")
    done = cli("import", scores, "--out", "o")
    assert (done.returncode, done.stdout) == (2, "")
    assert "o exists and is not empty" in done.stderr
    assert [path.name for path in (cli.home / "o").iterdir()] == ["mine.txt"]


def test_a_hostile_name_reaches_the_terminal_as_text(cli: Cli) -> None:
    columns = {
        "id": [1],
        "subset": ["chat"],
        "scores": [[1, 2, 3, 4, 5, 6]],
        "model": "evil\x1b[2J\u202e",
    }
    (cli.home / "m.json").write_text(json.dumps(columns))
    done = cli("import", "m.json", "--out", "o")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout


def test_a_wrong_file_is_told_and_nothing_is_written(cli: Cli) -> None:
    (cli.home / "x.json").write_text("[]")
    done = cli("import", "x.json", "--out", "o")
    assert (done.returncode, done.stderr) == (2, "rmjudge: x.json: holds no results\n")
    assert not (cli.home / "o").exists()


def test_lines_without_ids_take_their_tuples_from_the_data(cli: Cli) -> None:
    items = [
        {
            "id": k,
            "domain": "chat",
            "prompt": f"p{k}",
            "chosen": list("abc"),
            "rejected": list("def"),
        }
        for k in (1, 2)
    ]
    (cli.home / "data.json").write_text(json.dumps(items))
    names = []
    for style in range(3):
        names.append(f"{style}_all.jsonl")
        rows = [{"chosen": style, "rejected": 1.0}] * 2
        (cli.home / names[-1]).write_text("\n".join(map(json.dumps, rows)))
    done = cli("import", *names, "--data", "data.json", "--name", "rm", "--out", "o")
    assert done.returncode == 0
    lines = (cli.home / "o" / "results.jsonl").read_text().splitlines()
    assert [json.loads(line)["score_chosen"] for line in lines] == [[0.0, 1.0, 2.0]] * 2
