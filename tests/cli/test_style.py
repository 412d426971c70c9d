"""`rmjudge style`: beside the baselines, on the run's own texts; position of judges; plots."""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from served import StubServer

from rmjudge.dataset import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command import Cli
    from served import ModelServer


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with a judge asked in both orders and in one, and two baselines."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    three = ["baseline/length", "baseline/markdown", "baseline/random"]
    assert cli("run", *three, "--out", "base").returncode == 0
    both = ["--limit", "3", "--order", "both", "--out", "both"]
    assert cli("run", server.judge, *both).returncode == 0
    assert cli("run", server.judge, "--limit", "3", "--out", "once").returncode == 0
    return cli


def told(cli: Cli, *words: str) -> dict[str, Any]:
    done = cli("style", *words, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    return {item["scorer"]: item for item in json.loads(done.stdout)["scorers"]}


RANDOM, LENGTH = "base/baseline-random", "base/baseline-length"


def test_the_baselines_stand_beside_the_run_on_its_own_texts(runs: Cli) -> None:
    found = told(runs, RANDOM)
    assert list(found) == ["baseline/random", "baseline/length", "baseline/markdown"]
    for kind in ("length", "markdown"):
        metrics = runs.json(f"base/baseline-{kind}/metrics.json")
        gap = found[f"baseline/{kind}"]["gaps"]["all"]["all"]["value"]
        assert gap == pytest.approx(metrics["easy"] - metrics["hard"])


def test_a_baseline_that_was_run_is_not_shown_twice(runs: Cli) -> None:
    assert list(told(runs, LENGTH)) == ["baseline/length", "baseline/markdown"]
    assert told(runs, LENGTH)["baseline/length"] == told(runs, RANDOM)["baseline/length"]


def test_a_baseline_that_was_run_in_two_folders_counts_once(cli: Cli) -> None:
    for name in ("a", "b"):
        assert cli("run", "baseline/length", "--limit", "2", "--out", name).returncode == 0
    done = cli("style", "a", "b", "--format", "json")
    shown = [item["scorer"] for item in json.loads(done.stdout)["scorers"]]
    assert shown == ["baseline/length", "baseline/markdown"]
    assert done.stderr.startswith("b is left out: the same scorer and data as a")


def test_longer_wins_has_the_published_gaps_on_the_real_data(
    cli: Cli, rm_bench_files: Path
) -> None:
    data = ["--data", rm_bench_files / "chat_filtered.json"]
    assert cli("run", "baseline/random", *data, "--out", "o").returncode == 0
    found = told(cli, "o")["baseline/length"]
    assert round(found["accuracy"]["value"], 2) == round((0.81 + 0.28 + 0.03) / 3, 2)
    assert found["gaps"]["chat"]["all"]["value"] == pytest.approx(0.81 - 0.03, abs=0.01)


def test_a_judges_position_is_shown_per_cell(runs: Cli) -> None:
    found = told(runs, "both")["openai/judge"]
    metrics = runs.json("both/metrics.json")["position"]
    assert found["position"]["first_matrix"] == metrics["first_matrix"]
    assert found["position"]["swap_matrix"] == metrics["swap_matrix"]
    shown = runs("style", "both").stdout
    assert "openai/judge: verdicts for the response shown first, %" in shown
    decided = metrics["decided"]
    assert found["position"]["decided"] == decided > 0
    assert f"of all {decided:,} that are no tie)" in " ".join(shown.split())
    assert "openai/judge: pairs whose verdict survives the swap, %" in shown


def test_one_order_cannot_tell_what_survives_the_swap_and_says_so(runs: Cli) -> None:
    shown = runs("style", "once").stdout
    assert "openai/judge: each pair was asked in one order" in shown
    assert "survives the swap, %" not in shown


def test_a_judge_brings_half_credit_for_the_baselines_too(runs: Cli) -> None:
    assert told(runs, RANDOM)["baseline/markdown"]["reading"] == "strict"
    assert told(runs, "once")["baseline/markdown"]["reading"] == "half_credit"
    asked = told(runs, "once", "--reading", "strict")
    assert {item["reading"] for item in asked.values()} == {"strict"}


def test_runs_of_different_data_have_baselines_each(runs: Cli) -> None:
    done = runs("style", RANDOM, "once", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    pairs = {(row["scorer"], row["data"]) for row in rows}
    assert ("baseline/length", "chat+math+code+safety, 40 tuples") in pairs
    assert ("baseline/length", "chat+math+code+safety, 12 tuples") in pairs
    assert "on chat+math+code+safety, 12 tuples" in " ".join(
        runs("style", RANDOM, "once").stdout.split()
    )


def test_csv_has_a_row_for_each_measure(runs: Cli) -> None:
    done = runs("style", RANDOM, "--format", "csv")
    rows = {
        (row["domain"], row["measure"]): row
        for row in csv.DictReader(done.stdout.splitlines())
        if row["scorer"] == "baseline/random"
    }
    gap = told(runs, RANDOM)["baseline/random"]["gaps"]["math"]["markdown"]
    assert float(rows["math", "gap:markdown"]["value"]) == pytest.approx(gap["value"])
    assert float(rows["math", "gap:markdown"]["low"]) == pytest.approx(gap["interval"]["low"])
    assert {"accuracy", "slope", "model:detail", "model:markdown", "model:length"} <= {
        measure for _, measure in rows
    }


def test_markdown_has_the_same_tables(runs: Cli) -> None:
    shown = runs("style", RANDOM, "--format", "markdown").stdout
    assert "### What style is worth, points of P(win)" in shown.replace("\\", "")
    assert "| baseline/length | all |" in shown


def test_a_plot_names_every_scorer_and_repeats_to_the_byte(runs: Cli) -> None:
    plots = []
    for name in ("one.svg", "two.svg"):
        done = runs("style", "base", "both", "--plot", name, "--format", "csv")
        assert (done.returncode, done.stderr) == (0, f"plot: {name}\n")
        plots.append((runs.home / name).read_bytes())
    texts = {text.strip() for text in ET.fromstring(plots[0]).itertext()}  # noqa: S314
    assert {"baseline/length", "baseline/markdown", "baseline/random", "openai/judge"} <= texts
    assert plots[0] == plots[1]


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG"), ("a.pdf", b"%PDF")])
def test_a_plot_may_be_png_or_pdf(runs: Cli, name: str, magic: bytes) -> None:
    assert runs("style", RANDOM, "--plot", name).returncode == 0
    assert (runs.home / name).read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("plot", "message"),
    [
        ("a.gif", "a.gif: plots are written as .svg, .png, .pdf; name it so"),
        ("nowhere/a.svg", "nowhere/a.svg cannot be written: No such file or directory"),
    ],
)
def test_a_plot_that_cannot_be_written_is_told(runs: Cli, plot: str, message: str) -> None:
    done = runs("style", RANDOM, "--plot", plot)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_without_matplotlib_a_plot_says_how_to_get_it(runs: Cli) -> None:
    (runs.home / "lib").mkdir()
    (runs.home / "lib" / "matplotlib.py").write_text("raise ImportError('none')")
    done = runs("style", RANDOM, "--plot", "x.svg", PYTHONPATH=str(runs.home / "lib"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "plots need matplotlib: pip install 'rmjudge[plots]'" in done.stderr


def test_data_that_has_moved_is_told_and_found_where_it_is_now(cli: Cli, home: Path) -> None:
    texts = {"prompt": "p", "chosen": list("abc"), "rejected": list("def")}
    (home / "chat.json").write_text(json.dumps([{"id": n, **texts} for n in range(3)]))
    assert cli("run", "baseline/random", "--data", "chat.json", "--out", "o").returncode == 0
    (home / "kept").mkdir()
    (home / "chat.json").rename(home / "kept" / "chat.json")
    done = cli("style", "o")
    assert (done.returncode, done.stdout) == (2, "")
    assert "say where the data is now with --data SOURCE" in done.stderr
    assert cli("style", "o", "--data", "kept/chat.json").returncode == 0


def test_data_in_which_all_lengths_are_equal_has_no_model_and_says_so(cli: Cli, home: Path) -> None:
    texts = {"prompt": "p", "chosen": list("abc"), "rejected": list("def")}
    (home / "chat.json").write_text(json.dumps([{"id": n, **texts} for n in range(5)]))
    assert cli("run", "baseline/random", "--data", "chat.json", "--out", "o").returncode == 0
    done = cli("style", "o")
    assert done.returncode == 0
    assert "the data cannot tell style from length" in " ".join(done.stdout.split())
    assert told(cli, "o")["baseline/random"]["slope"] == {"value": None, "interval": None}


def correctness(text: str) -> float:
    return len(text) % 7 / 2


def verbosity(text: str) -> float:
    return round(math.log2(len(text)), 3)


def attributed(body: Any) -> Any:
    """NVIDIA's five attributes, two of which follow from the text."""
    text = body["messages"][-1]["content"]
    given = (
        f"helpfulness:1,correctness:{correctness(text)},coherence:2,complexity:1,"
        f"verbosity:{verbosity(text)}"
    )
    return {"choices": [{"message": [{"role": "assistant", "content": given}]}]}


@pytest.fixture(scope="module")
def rated(new_cli: Callable[[], Cli]) -> Cli:
    """A home with a run of a reward model that gives attributes, on the sample."""
    cli = new_cli()
    with StubServer(attributed) as server:
        done = cli("run", f"nim/five@{server.url}", "--out", "five", NVIDIA_API_KEY="nvapi-x")
    assert done.returncode == 0, done.stderr
    return cli


def test_correctness_and_verbosity_of_responses_are_means_of_what_the_model_said(
    rated: Cli,
) -> None:
    done = rated("style", "five", "--format", "json")
    (found,) = json.loads(done.stdout)["responses"]
    assert found["attributes"] == {"correctness": "correctness", "verbosity": "verbosity"}
    assert (found["scorer"], found["lacking"]) == ("nim/five", 0)
    means = {(one["domain"], one["side"], one["style"]): one for one in found["means"]}
    assert len(means) == 24
    data = load(["sample"])
    for (domain, side, style), one in means.items():
        place = ("concise", "detailed", "markdown").index(style)
        texts = [getattr(item, side)[place] for item in data if item.domain == domain]
        assert one["responses"] == len(texts)
        for name, of in (("correctness", correctness), ("verbosity", verbosity)):
            assert one[name] == pytest.approx(sum(map(of, texts)) / len(texts))
    rows = list(csv.reader(rated("style", "five", "--format", "csv").stdout.splitlines()))
    (row,) = [row for row in rows if row[2:4] == ["math", "verbosity:rejected/markdown"]]
    assert float(row[4]) == pytest.approx(means["math", "rejected", "markdown"]["verbosity"])
    assert "correctness and verbosity of responses" in rated("style", "five").stdout


def test_a_plot_has_a_panel_a_domain_with_a_point_a_response(rated: Cli) -> None:
    done = rated("style", "five", "--plot", "five.svg")
    assert done.returncode == 0, done.stderr
    picture = (rated.home / "five.svg").read_text()
    texts = {text.strip() for text in ET.fromstring(picture).itertext()}  # noqa: S314
    assert {"chat", "math", "code", "safety", "chosen/concise", "rejected/markdown"} <= texts
    assert picture.count("<use ") >= 6 * len(load(["sample"]))


def test_a_page_has_the_figure_of_the_article_where_a_run_holds_attributes(rated: Cli) -> None:
    assert rated("report", "five", "--html", "five.html").returncode == 0
    page = (rated.home / "five.html").read_text("ascii")
    assert page.count('<path class="dots"') == 24
    assert page.count("h0") + page.count("h4") >= 6 * len(load(["sample"]))
    assert "nim/five: correctness and verbosity of responses" in page


def test_other_attributes_can_be_named_and_unknown_ones_are_told(rated: Cli, runs: Cli) -> None:
    named = ("--attributes", "correctness=helpfulness,verbosity=complexity")
    done = rated("style", "five", *named, "--format", "json")
    (found,) = json.loads(done.stdout)["responses"]
    assert {(one["correctness"], one["verbosity"]) for one in found["means"]} == {(1.0, 1.0)}
    done = rated("style", "five", "--attributes", "correctness=truth,verbosity=verbosity")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no attribute is called truth; there are helpfulness, correctness" in done.stderr
    for wrong in ("correctness=a", "correctness=a,verbosity=", "a=1,b=2", "correctness"):
        assert rated("style", "five", "--attributes", wrong).returncode == 2
    done = runs("style", RANDOM, *named)
    assert done.returncode == 2
    assert "baseline-random: no attributes: its answers hold none" in done.stderr


def test_a_run_without_attributes_has_no_responses(runs: Cli) -> None:
    done = runs("style", "base", "both", "--format", "json")
    assert json.loads(done.stdout)["responses"] == []


def test_answers_that_have_moved_are_found_where_they_are_now(rated: Cli) -> None:
    (cache,) = {rated.json("five/run.json")["cache"]}
    (rated.home / "elsewhere").mkdir()
    moved = rated.home / "elsewhere" / "answers"
    (rated.home / cache).rename(moved)
    try:
        asked = ("style", "five", "--format", "json")
        assert json.loads(rated(*asked).stdout)["responses"] == []
        done = rated(*asked, "--cache-dir", str(moved))
        assert len(json.loads(done.stdout)["responses"]) == 1
    finally:
        moved.rename(rated.home / cache)
