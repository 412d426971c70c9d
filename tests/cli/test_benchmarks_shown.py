"""A run over several benchmarks, shown by every command that shows runs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from served import ServerProcess

PAIRS: list[dict[str, Any]] = [
    {
        "prompt": f"Question {n}?",
        "chosen": "Good. " * (n + 1),
        "rejected": "**Bad** answer.",
        "subset": "odd" if n % 2 else "even",
    }
    for n in range(6)
]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def both(cli: Cli, home: Path) -> Path:
    """Two baselines over the sample of RM-Bench and six pairs."""
    (home / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PAIRS))
    words = ("--data", "sample", "--data", "mine.jsonl", "--out", "both")
    done = cli("run", "baseline/length", "baseline/markdown", *words)
    assert done.returncode == 0, done.stderr
    return home / "both"


def test_the_page_shows_rm_bench_and_beside_it_the_other_sets(
    cli: Cli, home: Path, both: Path
) -> None:
    done = cli("report", both, "--html", "page.html")
    assert done.returncode == 0, done.stderr
    page = (home / "page.html").read_text()
    assert "Style-Substance matrices" in page
    assert 'id="benchmarks"' in page
    assert "Preference pairs: two by two, points" in page
    assert "Preference pairs: length bias, %" in page


def test_the_page_of_another_set_alone_has_its_tables_and_no_matrix(
    cli: Cli, home: Path, both: Path
) -> None:
    done = cli("report", both / "pairs", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    page = (home / "page.html").read_text()
    assert "Preference pairs: subsets" in page
    assert "matrices" not in page


def test_texts_that_are_gone_leave_the_page_without_what_needs_them_and_say_so(
    cli: Cli, home: Path, both: Path
) -> None:
    (home / "mine.jsonl").rename(home / "moved.jsonl")
    done = cli("report", both / "pairs", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    assert "say where its data is now with --data SOURCE" in (home / "page.html").read_text()
    refused = cli("style", both / "pairs")
    assert refused.returncode == 2
    assert "say where its data is now with --data SOURCE" in refused.stderr
    found = cli("style", both / "pairs", "--data", "moved.jsonl", "--format", "json")
    assert found.returncode == 0, found.stderr
    rows = json.loads(found.stdout)["benchmarks"]
    assert (rows[0]["longer"], rows[0]["shorter"]) == (1.0, 0.0)


def test_compare_and_style_are_json_of_both_and_csv_of_one(cli: Cli, both: Path) -> None:
    for command in ("compare", "style"):
        words = ("--baselines",) if command == "compare" else ()
        done = cli(command, both, *words, "--format", "json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert {row["benchmark"] for row in found["benchmarks"]} == {"pairs"}
        assert len(found) > 1
        assert "apart" in cli(command, both, *words, "--format", "csv").stderr
    done = cli("compare", both / "pairs", "--format", "csv")
    (row,) = csv.DictReader(io.StringIO(done.stdout))
    scores = [
        json.loads((both / "pairs" / name / "metrics.json").read_text())["headline"]
        for name in ("baseline-length", "baseline-markdown")
    ]
    assert float(row["difference"]) == pytest.approx(scores[0] - scores[1])


def test_list_names_the_runs_on_other_sets_with_their_own_score(cli: Cli, both: Path) -> None:
    shown = cli("list", both.parent / "both")
    assert shown.stderr == ""
    assert "Preference pairs" in shown.stdout
    found = json.loads(cli("list", both, "--json").stdout)["runs"]
    other = [one for one in found if "benchmark" in one]
    assert [(one["benchmark"], one["items"]) for one in other] == [("pairs", 6), ("pairs", 6)]
    assert [one["tuples"] for one in found if "tuples" in one]


def test_readings_count_a_tie_as_each_tool_does(cli: Cli, home: Path) -> None:
    rows = [{"prompt": "?", "chosen": "a **b**", "rejected": "ab"}] + [
        {"prompt": f"{n}?", "chosen": "same", "rejected": "also"} for n in range(3)
    ]
    (home / "ties.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert cli("run", "baseline/markdown", "--data", "ties.jsonl", "--out", "r").returncode == 0
    done = cli("readings", "r", "--format", "json", "--as", "reward-bench")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["benchmarks"]
    assert [one["score"] for one in found if not one["lacks"]] == [0.25]
    refused = cli("readings", "r", "--as", "judgebench")
    assert refused.returncode == 2
    assert "both orders" in refused.stderr


def test_a_run_over_a_part_has_no_rank_and_no_row(cli: Cli, both: Path) -> None:
    words = ("--data", "mine.jsonl", "--limit", "1", "--out", "part")
    assert cli("run", "baseline/length", *words).returncode == 0
    (row,) = json.loads(cli("leaderboard", "part", "--format", "json").stdout)["benchmarks"]
    assert row["rank"] is None
    refused = cli("leaderboard", "part", "--emit")
    assert refused.returncode == 2
    assert "--limit" in refused.stderr
    emitted = cli("leaderboard", both / "pairs" / "baseline-length", "--emit", "--name", "a|b")
    assert emitted.stdout.splitlines()[0] == "| Model | even | odd | Overall |"
    assert "a\\|b" in emitted.stdout


def test_what_is_asked_of_rm_benchs_tuples_is_asked_of_them_beside_another_set(
    cli: Cli, both: Path
) -> None:
    words = ("run", "baseline/length", "--data", "sample", "--data", "mine.jsonl", "--out", "r")
    done = cli(*words, "--domain", "chat", "--fail-under", "hard=0")
    assert done.returncode == 0, done.stderr
    ((_, chat),) = json.loads((both.parent / "r/rm-bench/metrics.json").read_text())[
        "domains"
    ].items()
    assert chat["tuples"] > 0
    assert json.loads((both.parent / "r/pairs/metrics.json").read_text())["whole"]["items"] == 6
    refused = cli(*words, "--append", "lines.jsonl")
    assert refused.returncode == 2
    assert "--append writes results on RM-Bench alone, not on pairs" in refused.stderr


def test_items_without_a_score_may_be_allowed(
    cli: Cli, home: Path, start_server: Callable[[int], ServerProcess]
) -> None:
    (home / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in PAIRS))
    server = start_server(0)
    server.control(faults=["no-verdict"], rate=1)
    words = ("run", server.judge, "--data", "mine.jsonl", "--no-early-stop")
    assert cli(*words, "--out", "a").returncode == 1
    assert cli(*words, "--out", "b", "--allow-unscored", "100%").returncode == 0


@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data")
def test_published_decisions_read_as_the_tables_that_differ_from_the_official(
    cli: Cli, home: Path
) -> None:
    import gzip

    source = DATA / "judgebench" / "published_decisions.jsonl.gz"
    lines = gzip.decompress(source.read_bytes()).decode().splitlines()
    chosen = [line for line in lines if "gpt-4o" in line and "Reward-Gemma-2-27B" in line]
    assert len(chosen) == 350
    (home / "one.jsonl").write_text("\n".join(chosen) + "\n")
    assert cli("import", "one.jsonl", "--out", "r").returncode == 0
    found = json.loads(cli("readings", "r", "--format", "json").stdout)["benchmarks"]
    scores = {one["tool"]: one["score"] for one in found if one["score"] is not None}
    assert round(100 * scores["judgebench"], 2) == 64.29
    assert round(100 * scores["judgebench-macro"], 1) == 65.0  # GRAM's README, 65.0
    board = json.loads(cli("leaderboard", "r", "--format", "json").stdout)["benchmarks"]
    assert [(one["rank"], one["run"]) for one in board][:3] == [(1, False), (2, False), (2, True)]
