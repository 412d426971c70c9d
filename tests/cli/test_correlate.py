"""`rmjudge correlate`: runs against the CSV of their policies."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from subprocess import run as start
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from scipy import stats

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli

DOCS = Path(__file__).parents[2] / "docs"
EXAMPLE = str(DOCS / "policies_example.csv")
HEADER = "scorer,domain,task,score,sft"


@pytest.fixture(scope="module")
def runs(new_cli: Callable[[], Cli]) -> Cli:
    """The documentation's example, made anew: its script run in an empty home."""
    cli = new_cli()
    script = (DOCS / "correlate_example.py").read_text("utf-8")
    (cli.home / "example.py").write_text(script, "utf-8")
    done = start(
        [sys.executable, "example.py"],
        cwd=cli.home,
        env=cli.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return cli


RUNS = "runs/correlate-example"


def test_the_example_of_the_documentation_is_what_its_script_makes(runs: Cli) -> None:
    made = (runs.home / "policies_example.csv").read_text("utf-8")
    assert made == Path(EXAMPLE).read_text("utf-8")


def test_the_documentation_shows_what_the_command_prints(runs: Cli) -> None:
    shown = runs("correlate", RUNS, "--with", EXAMPLE).stdout
    lines = [line.rstrip() for line in shown.splitlines()][:11]
    documented = (DOCS / "correlate.md").read_text("utf-8")
    assert "\n".join(lines) in documented
    whole = [line.rstrip() for line in shown.splitlines()]
    start = whole.index("All downstream tasks together")
    assert "\n".join(whole[start : start + 4]) in documented


def test_the_numbers_are_those_of_the_points(runs: Cli) -> None:
    done = runs("correlate", RUNS, "--with", EXAMPLE, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    items = {item["domain"]: item for item in json.loads(done.stdout)["correlations"]}
    assert items["code"]["accuracy"] == "normal"
    shorter = runs.json(f"{RUNS}/toy-shorter/metrics.json")["domains"]
    (point,) = (p for p in items["math"]["points"] if p["scorer"] == "toy/shorter")
    assert point == {"scorer": "toy/shorter", "accuracy": shorter["math"]["hard"], "score": 1.2}
    for item in items.values():
        x, y = zip(*((p["accuracy"], p["score"]) for p in item["points"]), strict=True)
        assert item["pearson"]["value"] == pytest.approx(float(stats.pearsonr(x, y).statistic))
        assert item["spearman"]["value"] == pytest.approx(float(stats.spearmanr(x, y).statistic))


def test_csv_has_a_row_for_each_task(runs: Cli) -> None:
    done = runs("correlate", RUNS, "--with", EXAMPLE, "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [row["domain"] for row in rows] == ["chat", "math", "code", "safety"]
    assert float(rows[0]["pearson_low"]) < float(rows[0]["pearson"]) < 0


def test_markdown_has_the_same_tables(runs: Cli) -> None:
    done = runs("correlate", RUNS, "--with", EXAMPLE, "--format", "markdown")
    assert "| math hard | best of 6 / SFT | 6 | Pearson | -0.16 |" in done.stdout


def test_a_plot_has_a_panel_for_each_task(runs: Cli) -> None:
    done = runs("correlate", RUNS, "--with", EXAMPLE, "--plot", "p.svg")
    assert (done.returncode, done.stderr) == (0, "plot: p.svg\n")
    texts = " ".join(ET.parse(runs.home / "p.svg").getroot().itertext())  # noqa: S314
    assert "math + code + safety: all tasks together" in texts
    for words in ("chat: best of 2 in one style", "math: best of 6 / SFT", "toy/echo"):
        assert words in texts


def test_all_downstream_tasks_are_pooled_over_standardised_accuracies(runs: Cli) -> None:
    done = runs("correlate", RUNS, "--with", EXAMPLE, "--format", "json")
    document = json.loads(done.stdout)
    found, rows = document["pool"], document["correlations"]
    x: list[float] = []
    y: list[float] = []
    for row in rows[1:]:
        points = {point["scorer"]: point for point in row["points"]}
        x += list(stats.zscore([points[name]["accuracy"] for name in found["models"]]))
        y += [points[name]["score"] for name in found["models"]]
    expected = stats.pearsonr(x, y)
    assert found["domains"] == ["math", "code", "safety"]
    assert found["pearson"] == pytest.approx(float(expected.statistic))
    assert found["p_points"] == pytest.approx(float(expected.pvalue))
    assert (found["orders"], len(found["points"])) == (720, 18)
    told = " ".join(runs("correlate", RUNS, "--with", EXAMPLE).stdout.split())
    assert "The points of one reward model are not independent." in told


def test_the_style_control_score_is_the_relative_drop(runs: Cli, tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    scores = [(40, 50), (30, 60), (45, 50), (55, 50)]
    lines = [
        f"{name},chat,arena,{controlled},,{plain}"
        for name, (controlled, plain) in zip(FOUR, scores, strict=True)
    ]
    file.write_text("\n".join([f"{HEADER},uncontrolled", *lines]))
    done = runs("correlate", RUNS, "--with", str(file), "--format", "json")
    (row,) = json.loads(done.stdout)["correlations"]
    assert (row["scale"], row["normalised"]) == ("drop", False)
    found = {point["scorer"]: point["score"] for point in row["points"]}
    assert [found[name] for name in FOUR] == pytest.approx([-0.2, -0.5, -0.1, 0.1])
    assert "arena, relative drop" in runs("correlate", RUNS, "--with", str(file)).stdout


def policies(folder: Path, *lines: str) -> str:
    file = folder / "p.csv"
    file.write_text("\n".join([HEADER, *lines]))
    return str(file)


FOUR = ("baseline/length", "baseline/random", "toy/shorter", "toy/variety")


def test_what_has_no_counterpart_is_named(runs: Cli, tmp_path: Path) -> None:
    lines = [f"{name},chat,t,{n}," for n, name in enumerate(FOUR)]
    done = runs("correlate", RUNS, "--with", policies(tmp_path, *lines, "other/rm,chat,t,3,"))
    shown = " ".join(done.stdout.split())
    assert "No run of other/rm: left out." in shown
    assert "No policy of baseline/markdown, toy/echo: left out." in shown


def test_rows_that_lack_data_are_named_beside_one_that_does_not(runs: Cli, tmp_path: Path) -> None:
    lines = [f"{name},chat,t,{n}," for n, name in enumerate(FOUR)]
    lines += [f"{name},math,u,{n},9" for n, name in enumerate(FOUR[:2])]
    done = runs("correlate", RUNS, "--with", policies(tmp_path, *lines))
    assert done.returncode == 0
    assert "math hard, u / SFT: needs 3 policies or more." in done.stdout


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_where_every_row_lacks_data_nothing_is_shown_but_what_lacks(
    runs: Cli, tmp_path: Path, form: str
) -> None:
    lines = [f"{name},chat,t,{n}," for n, name in enumerate(FOUR[:2])]
    file = policies(tmp_path, *lines, "other/rm,chat,t,3,")
    done = runs("correlate", RUNS, "--with", file, "--format", form, "--plot", "none.svg")
    assert (done.returncode, done.stdout) == (2, "")
    told = f"rmjudge: {file}: nothing to correlate. chat hard, t: needs 3 policies or more. No run"
    assert done.stderr.startswith(told)
    assert not (runs.home / "none.svg").exists()


def test_a_domain_that_the_runs_lack_is_named(cli: Cli, home: Path) -> None:
    assert cli("run", "baseline/length", "--domain", "chat", "--out", "o").returncode == 0
    done = cli("correlate", "o", "--with", policies(home, "baseline/length,math,t,1,2"))
    assert done.returncode == 2
    assert "The runs have no tuples of math." in done.stderr


def test_policies_of_no_run_are_refused(runs: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"{HEADER}\nother/rm,chat,t,1,\n")
    done = runs("correlate", RUNS, "--with", str(tmp_path / "p.csv"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "none of its scorers is in the runs; they have baseline/length" in done.stderr


def test_a_wrong_line_is_told_and_nothing_is_computed(runs: Cli, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"{HEADER}\na,chat,t,high,\n")
    done = runs("correlate", RUNS, "--with", str(tmp_path / "p.csv"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 2: score 'high' is no number" in done.stderr


def test_a_run_that_is_there_twice_with_the_same_results_counts_once(
    runs: Cli, tmp_path: Path
) -> None:
    again = str(tmp_path / "again")
    assert runs("run", "baseline/length", "--out", again).returncode == 0
    words = ("--with", EXAMPLE, "--format", "json")
    once, twice = runs("correlate", RUNS, *words), runs("correlate", RUNS, again, *words)
    assert (twice.returncode, twice.stderr) == (0, "")
    found, expected = json.loads(twice.stdout), json.loads(once.stdout)
    assert found["correlations"] == expected["correlations"]
    assert f"{again} is left out: the same scorer and data as {RUNS}/" in twice.stdout


def test_two_runs_of_one_scorer_are_ambiguous(runs: Cli, tmp_path: Path) -> None:
    again = str(tmp_path / "again")
    assert runs("run", "baseline/length", "--limit", "1", "--out", again).returncode == 0
    done = runs("correlate", RUNS, again, "--with", EXAMPLE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "are both runs of baseline/length; name one of them" in done.stderr


def test_the_file_of_policies_is_needed(runs: Cli) -> None:
    done = runs("correlate", RUNS)
    assert done.returncode == 2
    assert "--with" in done.stderr
