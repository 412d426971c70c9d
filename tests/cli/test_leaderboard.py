"""`rmjudge leaderboard`: the table in every format, and what is submitted."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli


@pytest.fixture(scope="module")
def ran(new_cli: Callable[[], Cli]) -> Cli:
    """A home with a baseline over the sample in `o`, and over its chat tuples in `chat`."""
    cli = new_cli()
    cli("run", "baseline/length", "--out", "o")
    cli("run", "baseline/markdown", "--domain", "chat", "--out", "chat")
    return cli


def test_without_a_run_it_is_the_published_table(ran: Cli) -> None:
    done = ran("leaderboard")
    assert (done.returncode, done.stderr) == (0, "")
    assert "REWARDANYTHING-8B" in done.stdout
    assert "! REWARDANYTHING-8B: score mismatch: Overall 86.4" in done.stdout
    assert "! DeepSeek R1: Math and Code are swapped" in done.stdout


def test_a_run_over_other_data_is_shown_with_its_mark_and_without_a_rank(ran: Cli) -> None:
    done = ran("leaderboard", "o", "chat", "--format", "json")
    rows = json.loads(done.stdout)["rows"]
    length, markdown = rows[-2:]
    assert [row["rank"] for row in rows[:3]] == [1, 2, 3]
    assert (length["name"], length["rank"], length["run"]) == ("baseline/length", None, True)
    assert length["mean"] == ran.json("o/metrics.json")["average"]
    assert "not the whole benchmark" in length["not_ranked"]
    assert "math, code, safety missing" in markdown["not_ranked"]
    done = ran("leaderboard", "chat")
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("baseline/markdown"))
    rank, *_, mean, overall = line.removeprefix("baseline/markdown").split()
    assert (rank, mean[-1], overall) == ("\N{EN DASH}", "*", "\N{EN DASH}")
    table = " ".join(done.stdout.split())
    assert "* baseline/markdown: not ranked; average over chat only" in table


def test_csv_has_a_row_a_model(ran: Cli) -> None:
    rows = list(csv.DictReader(ran("leaderboard", "o", "--format", "csv").stdout.splitlines()))
    (r1,) = (row for row in rows if row["name"] == "DeepSeek R1")
    assert len(rows) == 52
    assert (r1["easy"], r1["hard"], r1["mean"]) == ("", "0.802000", "0.852875")


@pytest.mark.parametrize(("format", "sign"), [("markdown", "| --- |"), ("latex", r"\toprule")])
def test_it_can_stand_in_documents(ran: Cli, format: str, sign: str) -> None:
    done = ran("leaderboard", "o", "--format", format)
    assert done.returncode == 0
    assert sign in done.stdout
    assert "baseline/length" in done.stdout


def test_the_table_fits_in_80_columns_with_a_line_a_model(ran: Cli) -> None:
    done = ran("leaderboard", COLUMNS="80")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    (gpt,) = (line.split() for line in lines if line.startswith("GPT-4.1"))
    assert gpt[1:] == [
        *("21", "79.5", "68.1", "67.3", "93.1"),
        *("85.7w", "77.0w", "69.5w", "77.0!", "77.4w"),
    ]


def test_what_was_reported_since_is_a_block_of_its_own_without_ranks(ran: Cli) -> None:
    text = ran("leaderboard", "--format", "markdown").stdout
    board, since = text.split("### Reported elsewhere since")
    assert "| Gemini 2.5 Pro |" in since
    assert "| Gemini 2.5 Pro |" not in board
    assert "| # |" not in since
    found = json.loads(ran("leaderboard", "--format", "json").stdout)
    assert len(found["rows"]) == 51
    (gemini,) = (row for row in found["reported"] if row["name"] == "Gemini 2.5 Pro")
    assert gemini["weighted_by_tuples"] == ["easy", "normal", "hard", "overall"]
    assert gemini["mean"] == pytest.approx((0.693 + 0.366 + 0.391 + 0.899) / 4)


def test_the_top_of_the_table_can_be_shown_alone(ran: Cli) -> None:
    done = ran("leaderboard", "o", "--top", "3", "--format", "json")
    rows = json.loads(done.stdout)["rows"]
    assert [row["rank"] for row in rows] == [1, 2, 3, None]
    assert "4 of 52 rows are shown." in ran("leaderboard", "o", "--top", "3").stdout


def test_the_rows_around_a_run_need_a_run_with_a_rank(ran: Cli) -> None:
    done = ran("leaderboard", "o", "--around", "2")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a run that has a rank" in done.stderr


def test_a_full_run_has_its_rank_and_prints_its_row_alone(cli: Cli) -> None:
    sizes = {"chat": 129, "math": 529, "code": 228, "safety-refuse": 284, "safety-response": 157}
    items = [
        # Every chosen beats the concise and the detailed, none the Markdown.
        {
            "id": f"{domain} {k}",
            "domain": domain,
            "score_chosen": [2, 2, 2],
            "score_rejected": [1, 1, 3],
        }
        for domain, size in sizes.items()
        for k in range(size)
    ]
    (cli.home / "total_dataset_rm_REWORD_MODEL.json").write_text(json.dumps(items))
    assert cli("import", "total_dataset_rm_REWORD_MODEL.json", "--out", "o").returncode == 0

    done = cli(
        "leaderboard", "o", "--emit", "--link", "https://example.org", "--license", "Unknown"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "| [rm](https://example.org) | Scalar RM | 66.7 | 66.7 | 66.7 | 66.7 "
        "| 100.0 | 66.7 | 33.3 | 66.7 | 66.7 | 66.7 | False | Unknown |\n"
    )
    done = cli("leaderboard", "o", "--emit-hub", "rm-bench.yaml", "--link", "https://example.org")
    assert done.returncode == 0, done.stderr
    assert ".eval_results/" in done.stderr
    assert "task_id: hard\n  value: 33.3\n" in (cli.home / "rm-bench.yaml").read_text()
    rows = json.loads(cli("leaderboard", "o", "--format", "json").stdout)["rows"]
    (mine,) = (row for row in rows if row["run"])
    assert mine["rank"] == 1 + sum(row["mean"] > 2 / 3 for row in rows)
    near = json.loads(cli("leaderboard", "o", "--around", "2", "--format", "json").stdout)
    places = [row["name"] for row in rows].index("rm")
    assert near["rows"] == rows[places - 2 : places + 3]
    assert near["reported"] == []


def test_a_file_for_rm_bench_becomes_the_same_run_again(ran: Cli) -> None:
    done = ran("leaderboard", "o", "--emit-file", "scores.json")
    assert (done.returncode, done.stderr) == (0, "written: scores.json\n")
    assert (
        ran("import", "scores.json", "--name", "baseline/length", "--out", "again").returncode == 0
    )
    assert ran.results("again") == ran.results("o")


def scores(cli: Cli, folder: str, hard: int) -> None:
    """A full run in a folder; the better, the more of the Markdown responses are beaten."""
    sizes = {"chat": 129, "math": 529, "code": 228, "safety-refuse": 284, "safety-response": 157}
    items = [
        {
            "id": f"{d} {k}",
            "domain": d,
            "score_chosen": [2, 2, 2],
            "score_rejected": [1, 1, hard],
        }
        for d, size in sizes.items()
        for k in range(size)
    ]
    (cli.home / "rm.json").write_text(json.dumps(items))
    assert cli("import", "rm.json", "--name", "my/rm", "--out", folder).returncode == 0


def test_runs_become_rows_of_a_board_and_a_newer_run_replaces_an_older_one(cli: Cli) -> None:
    scores(cli, "old", hard=3)
    done = cli("leaderboard", "old", "--board", "team.toml", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "board: team.toml\n")
    (mine,) = (row for row in json.loads(done.stdout)["rows"] if row["run"])
    assert (mine["name"], mine["mean"]) == ("my/rm", pytest.approx(2 / 3))
    board = cli.home / "team.toml"
    board.write_text(board.read_text().replace('name = "my/rm"', 'name = "Our RM"\nnote = "v2"', 1))

    scores(cli, "new", hard=1)
    done = cli("leaderboard", "new", "--board", "team.toml", "--html", "team.html")
    assert done.returncode == 0
    assert "Our RM: the run of new takes the place of an older one" in done.stderr
    kept = board.read_text()
    assert kept.count("[[model]]") == 1
    assert 'note = "v2"' in kept
    assert cli("leaderboard", "old", "--board", "team.toml").returncode == 0
    found = json.loads(cli("leaderboard", "--board", "team.toml", "--format", "json").stdout)
    (mine,) = (row for row in found["rows"] if row["run"])
    assert (mine["name"], mine["mean"], mine["rank"]) == ("Our RM", 1.0, 1)
    page = (cli.home / "team.html").read_text("ascii")
    assert "<title>team</title>" in page
    assert "default-src &#39;none&#39;" in page
    assert "Our RM" in page.replace("<wbr>", "")
    assert "<script" not in page


def test_the_folder_of_a_run_on_a_board_may_go(ran: Cli) -> None:
    assert ran("run", "baseline/random", "--out", "gone").returncode == 0
    assert ran("leaderboard", "gone", "--board", "b.toml").returncode == 0
    for file in (ran.home / "gone").iterdir():
        file.unlink()
    rows = json.loads(ran("leaderboard", "--board", "b.toml", "--format", "json").stdout)["rows"]
    (mine,) = (row for row in rows if row["run"])
    assert (mine["name"], mine["rank"]) == ("baseline/random", None)
    assert "not the whole benchmark" in mine["not_ranked"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("o", "--emit"), "the leaderboard takes complete runs of RM-Bench"),
        (("o", "--emit-hub", "x.yaml"), "the Hub's file takes complete runs of RM-Bench"),
        (("o", "--name", "x"), "--name is for --emit"),
        (("--emit",), "for the run of one scorer, and 0 are named"),
        (("o", "chat", "--emit"), "and 2 are named: o, chat; name one of them"),
        (("nowhere",), "nowhere: no such folder"),
        (("--board", "none.toml"), "none.toml: no such board; name runs to begin one with"),
        (("o", "--html", "page.txt"), "the page's name ends in .html"),
        (("o", "--board", "b.toml", "--emit"), "--emit and --emit-file submit one run"),
        (("o", "--emit-file", "no/such/folder.json"), "cannot be written"),
    ],
)
def test_a_wrong_command_is_told_and_nothing_is_shown(
    ran: Cli, words: tuple[str, ...], told: str
) -> None:
    done = ran("leaderboard", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
