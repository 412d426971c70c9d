"""`rmjudge report --html`: the file, what is refused, what is said to be missing."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with runs/o: a judge, a reward model and a baseline on four tuples."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    cli("run", server.judge, server.reward, "baseline/length", "--limit", "2", "--out", "runs/o")
    return cli


def test_a_page_is_written_and_its_place_told(runs: Cli) -> None:
    done = runs("report", "runs/o", "--html", "page.html")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("page: page.html (")
    page = (runs.home / "page.html").read_text("ascii")
    assert page.startswith("<!DOCTYPE html>") or page.lstrip().startswith("<!DOCTYPE html>")
    for words in (
        "openai/judge",
        "vllm/rm",
        "baseline/length",
        "Comparison",
        "What style is worth",
    ):
        assert words in page


def test_the_page_needs_no_key_and_asks_nothing(runs: Cli, server: ModelServer) -> None:
    assert runs("report", "runs/o", "--html", "quiet.html").returncode == 0
    assert server.stats["received"] == 0


def test_the_same_runs_give_the_same_bytes(runs: Cli) -> None:
    pages = []
    for name in ("one.html", "two.html"):
        assert runs("report", "runs/o", "--html", name).returncode == 0
        pages.append((runs.home / name).read_bytes())
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("runs/o", "runs/o is a folder; name the file to write"),
        ("page.pdf", "the page's name ends in .html"),
        ("runs/o/vllm-rm/metrics.json", "the page's name ends in .html"),
        ("nowhere/page.html", "there is no folder nowhere; make it first"),
    ],
)
def test_a_file_that_is_hardly_meant_is_refused(runs: Cli, file: str, message: str) -> None:
    before = runs.results("runs/o")
    done = runs("report", "runs/o", "--html", file)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("rmjudge: --html ")
    assert message in done.stderr
    assert runs.results("runs/o") == before


def test_a_page_that_cannot_be_written_is_told(runs: Cli) -> None:
    done = runs("report", "runs/o", "--html", "/proc/page.html")
    assert done.returncode == 2
    assert "/proc/page.html cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_page_is_replaced_as_a_whole(runs: Cli) -> None:
    old = runs.home / "again.html"
    old.write_text("old")
    reader = old.open()
    assert runs("report", "runs/o", "--html", "again.html").returncode == 0
    # The old file is still whole for who has it open: the new one took its name.
    assert reader.read() == "old"
    assert os.fstat(reader.fileno()).st_nlink == 0
    reader.close()
    assert [path.name for path in runs.home.glob(".again*")] == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--html", "p.html", "--format", "table"), "--html writes a page; leave --format out"),
        (("--data", "sample"), "--data is for the page that --html FILE writes"),
        (("--cache-dir", "c"), "--cache-dir is for the page that --html FILE writes"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    runs: Cli, words: tuple[str, ...], message: str
) -> None:
    done = runs("report", "runs/o", *words)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_page_without_texts_is_made_and_says_what_to_do(cli: Cli) -> None:
    texts = list("abcdef")
    record = {"id": 1, "domain": "chat", "prompt": "p", "chosen": texts[:3], "rejected": texts[3:]}
    data = cli.home / "data.json"
    data.write_text(json.dumps([record]))
    cli("run", "baseline/length", "--data", "data.json", "--out", "o")
    data.rename(cli.home / "moved.json")
    done = cli("report", "o", "--html", "page.html")
    assert done.returncode == 0
    assert "warning: baseline/length: no texts: " in done.stderr
    assert "This page has no texts" in Path(cli.home / "page.html").read_text("ascii")
    assert "the texts are needed" in Path(cli.home / "page.html").read_text("ascii")
    done = cli("report", "o", "--html", "page.html", "--data", "moved.json")
    assert "warning" not in done.stderr
    page = Path(cli.home / "page.html").read_text("ascii")
    assert "This page has no texts" not in page
    assert "the texts are needed" not in page


def test_runs_of_other_texts_under_the_same_ids_are_not_compared(cli: Cli) -> None:
    for name in ("a", "b"):
        texts = [f"{name}{k}" for k in range(6)]
        record = {
            "id": 1,
            "domain": "chat",
            "prompt": "p",
            "chosen": texts[:3],
            "rejected": texts[3:],
        }
        (cli.home / f"{name}.json").write_text(json.dumps([record]))
        cli("run", "baseline/length", "--data", f"{name}.json", "--out", f"runs/{name}")
    assert cli("report", "runs", "--html", "page.html").returncode == 0
    assert "Not compared: the runs use one id" in (cli.home / "page.html").read_text("ascii")


def test_a_run_with_a_fallback_has_its_page(cli: Cli, server: ModelServer) -> None:
    cli(
        *("run", server.reward, "--fallback", "baseline/length", "--max-calls", "6"),
        *("--limit", "1", "--domain", "chat", "--domain", "math", "--out", "o"),
    )
    done = cli("report", "o", "--html", "page.html")
    assert (done.returncode, done.stderr.count("warning")) == (0, 0)
    assert "vllm/rm + baseline/length" in (cli.home / "page.html").read_text("ascii")


def test_runs_of_other_domains_have_their_styles_apart(cli: Cli) -> None:
    both = ["--domain", "chat", "--domain", "safety", "--limit", "2", "--out", "a"]
    assert cli("run", "baseline/random", *both).returncode == 0
    only = ["--domain", "chat", "--limit", "2", "--out", "b"]
    assert cli("run", "baseline/length", *only).returncode == 0
    done = cli("report", "a", "b", "--html", "page.html")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    page = (cli.home / "page.html").read_text("ascii")
    assert 'id="style"' in page
    assert 'id="style-2"' in page
    assert "What style is worth on chat+safety, 4 tuples" in page
    assert "What style is worth on chat, 2 tuples" in page


def test_the_scatter_has_the_figures_of_the_style_report(runs: Cli) -> None:
    assert runs("report", "runs/o", "--html", "page.html").returncode == 0
    page = (runs.home / "page.html").read_text("ascii")
    told = json.loads(runs("style", "runs/o", "--format", "json").stdout)["scorers"]
    assert [one["scorer"] for one in told] == [
        *("openai/judge", "vllm/rm", "baseline/length"),
        "baseline/markdown",
    ]
    for one in told:
        detail = one["gaps"]["all"]["detail"]["value"] * 100
        title = f"{one['scorer']}: accuracy {one['accuracy']['value'] * 100:.1f} %, detail is worth"
        assert f"<title>{title} {detail:+.1f} points</title>" in page


def test_a_run_of_some_tuples_has_no_rank_and_the_page_says_why(runs: Cli) -> None:
    assert runs("report", "runs/o", "--html", "page.html").returncode == 0
    page = html.unescape((runs.home / "page.html").read_text("ascii"))
    assert "vllm/rm is not ranked: not the whole benchmark: tuples are chat 2, math 2" in page
    assert "RM-Bench leaderboard, %" not in page


def test_a_run_of_the_whole_benchmark_stands_among_the_published_rows(cli: Cli) -> None:
    sides = {"chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"]}
    scored = {"score_chosen": [2, 2, 2], "score_rejected": [1, 1, 1]}
    for name, count in {"chat": 129, "math": 529, "code": 228, "safety-refuse": 441}.items():
        records = [{"id": k, "prompt": f"p{k}", **sides, **scored} for k in range(count)]
        (cli.home / f"{name}_filtered.json").write_text(json.dumps(records))
    done = cli("import", *sorted(cli.home.glob("*_filtered.json")), "--name", "best", "--out", "o")
    assert done.returncode == 0, done.stderr
    assert cli("report", "o", "--html", "page.html").returncode == 0
    page = html.unescape((cli.home / "page.html").read_text("ascii"))
    board = json.loads(cli("leaderboard", "o", "--format", "json").stdout)["rows"]
    first, second = (row for row in board if row["rank"] in (1, 2))
    assert first["name"] == "best"
    ranked = sum(row["rank"] is not None for row in board)
    above = f"above {second['name']} ({second['mean'] * 100:.1f})"
    assert f"best: rank 1 of {ranked} with 100.0 %, {above}." in page
    assert "<summary>RM-Bench leaderboard, %</summary>" in page
    for row in board:
        assert all(doubt in page for doubt in row["doubts"])
    assert "<dt>Imported from</dt><dd>chat_filtered.json, code_filtered.json" in page
    assert "<dt>Calls</dt>" not in page


def test_other_tools_counts_tell_two_runs_of_one_scorer_apart(cli: Cli) -> None:
    for limit in ("1", "2"):
        assert cli("run", "baseline/length", "--limit", limit, "--out", limit).returncode == 0
    assert cli("report", "1", "2", "--html", "page.html").returncode == 0
    page = html.unescape((cli.home / "page.html").read_text("ascii"))
    for limit in ("1", "2"):
        assert f"<summary>baseline/length ({limit}) as other tools read it, %</summary>" in page


def test_other_tools_counts_stand_with_why_they_differ(runs: Cli) -> None:
    assert runs("report", "runs/o", "--html", "page.html").returncode == 0
    page = html.unescape((runs.home / "page.html").read_text("ascii"))
    told = json.loads(runs("readings", "runs/o", "--format", "json").stdout)["scorers"]
    reasons = 0
    for scorer in told:
        assert f"<summary>{scorer['scorer']} as other tools read it, %</summary>" in page
        for reading in scorer["readings"]:
            reasons += reading["why"] is not None
            assert reading["why"] is None or f"{reading['how']} {reading['why']}" in page
    assert reasons > 3


def test_a_stopped_run_says_what_stopped_it_and_how_to_go_on(cli: Cli, server: ModelServer) -> None:
    words = ("--limit", "2", "--max-calls", "5", "--concurrency", "1", "--out", "o")
    done = cli("run", server.judge, *words)
    assert done.returncode == 3
    done = cli("report", "o", "--html", "page.html")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    page = html.unescape((cli.home / "page.html").read_text("ascii"))
    about = cli.json("o/run.json")
    assert f"<dt>Stopped</dt><dd>{about['stopped']}</dd>" in page
    assert f"<dt>To go on</dt><dd>{about['resume']}</dd>" in page
    assert "72 planned; 0 from the cache, 5 sent" in page
