"""`rmjudge compare`: a judge against reward models, in every format; and what it refuses."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command import Cli
    from served import ModelServer


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with a judge, three baselines, and a run of one domain."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    three = ["baseline/length", "baseline/markdown", "baseline/random"]
    assert cli("run", *three, "--out", "runs/base").returncode == 0
    assert cli("run", "baseline/random", "--domain", "math", "--out", "runs/math").returncode == 0
    assert cli("run", server.judge, "--limit", "2", "--out", "runs/judge").returncode == 0
    return cli


def told(cli: Cli, *words: str) -> dict[str, Any]:
    done = cli("compare", *words, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


LENGTH, RANDOM = "runs/base/baseline-length", "runs/base/baseline-random"


def test_a_difference_is_that_of_the_reports(runs: Cli) -> None:
    found = told(runs, LENGTH, RANDOM)
    rows = {(row["domain"], row["part"]): row for row in found["pairs"][0]["differences"]}
    first, second = (runs.json(f"{folder}/metrics.json") for folder in (LENGTH, RANDOM))
    assert rows["all", "hard"]["difference"] == pytest.approx(first["hard"] - second["hard"])
    assert rows["code", "average"]["first"] == pytest.approx(first["domains"]["code"]["average"])
    assert len(rows) == 20


def test_without_a_difference_on_average_the_other_rows_count_as_undecided(runs: Cli) -> None:
    done = runs("compare", LENGTH, RANDOM)
    assert (done.returncode, done.stderr) == (0, "")
    text = " ".join(done.stdout.split())
    # Easy and Hard cancel out: the average is tested first, and leaves them undecided.
    assert "No evidence of a difference on average" in text
    assert "So the other rows count as undecided: the average is tested first." in text


def test_no_evidence_is_told_with_the_difference_that_would_have_been_seen(runs: Cli) -> None:
    done = runs("compare", LENGTH, RANDOM)
    text = " ".join(done.stdout.split())
    assert "No evidence of a difference on average: A - B is" in text
    size = told(runs, LENGTH, RANDOM)["pairs"][0]["differences"][-1]["detectable"]
    assert f"40 tuples show a true difference of {100 * size:.1f} points or more" in text


def test_a_run_against_itself_is_no_different(runs: Cli) -> None:
    found = told(runs, RANDOM, "runs/math")
    (pair,) = found["pairs"]
    assert pair["evidence"] is False
    assert {row["p_holm"] for row in pair["differences"]} == {1.0}
    assert "So the other rows count as undecided" in pair["says"]


def test_a_judge_against_a_reward_model_is_read_with_half_credit_and_says_so(runs: Cli) -> None:
    found = told(runs, "runs/judge", LENGTH)
    assert found["reading"] == "half_credit"
    assert found["tuples"] == {"chat": 2, "math": 2, "code": 2, "safety": 2}
    assert "half credit for all" in runs("compare", "runs/judge", LENGTH).stdout


def test_reward_models_are_read_strictly_unless_asked_otherwise(runs: Cli) -> None:
    markdown = "runs/base/baseline-markdown"
    assert told(runs, LENGTH, markdown)["reading"] == "strict"
    half = told(runs, LENGTH, markdown, "--reading", "half_credit")
    expected = runs.json(f"{markdown}/metrics.json")["half_credit"]["average"]
    assert half["pairs"][0]["differences"][-1]["second"] == pytest.approx(expected)


def test_a_folder_of_several_scorers_is_compared_two_by_two(runs: Cli) -> None:
    found = told(runs, "runs/base")
    names = ["baseline/length", "baseline/markdown", "baseline/random"]
    assert found["scorers"] == names
    assert len(found["pairs"]) == 3
    assert found["tests"] == 60


def test_runs_of_different_data_are_compared_on_what_they_share(runs: Cli) -> None:
    found = told(runs, LENGTH, "runs/math")
    assert found["tuples"] == {"math": 10}
    assert found["left_out"] == {"incomplete": 0, "elsewhere": 30}
    shown = runs("compare", LENGTH, "runs/math").stdout
    assert "30 tuples left out: not in every run." in shown


def test_an_average_that_leaves_domains_out_is_marked(runs: Cli, cli: Cli) -> None:
    for kind in ("length", "random"):
        words = ["--domain", "math", "--domain", "chat", "--out", kind]
        assert cli("run", f"baseline/{kind}", *words).returncode == 0
    shown = cli("compare", "length", "random").stdout
    assert "all* average" in shown
    assert "* over chat, math only; code, safety missing." in shown
    assert "all*" not in runs("compare", LENGTH, RANDOM).stdout


def test_two_runs_of_one_model_are_told_apart_by_their_folders(
    cli: Cli, server: ModelServer
) -> None:
    for order in ("both", "seeded"):
        words = ["--limit", "2", "--order", order, "--out", f"runs/{order}"]
        assert cli("run", server.judge, *words).returncode == 0
    shown = " ".join(cli("compare", "runs").stdout.split())
    assert "A openai/judge (both)" in shown
    assert "B openai/judge (seeded)" in shown
    assert "A: pairwise, both orders, runs/both" in shown
    assert "B: pairwise, seeded order, runs/seeded" in shown


def test_baselines_add_no_tests_unless_asked_for(runs: Cli, server: ModelServer) -> None:
    words = ["--limit", "2", "--out", "runs/reward"]
    assert runs("run", server.reward, *words).returncode == 0
    folders = ["runs/judge", LENGTH, "runs/reward"]
    found = told(runs, *folders)
    assert (found["scorers"], found["tests"]) == (["openai/judge", "vllm/rm"], 20)
    assert found["notes"][0].startswith("Baselines left out: baseline/length;")
    assert "Baselines left out: baseline/length;" in " ".join(
        runs("compare", *folders).stdout.split()
    )
    asked = told(runs, *folders, "--baselines")
    assert (len(asked["scorers"]), asked["tests"], asked["notes"]) == (3, 60, [])
    assert "Baselines left out" in runs("compare", *folders, "--format", "csv").stderr


def test_a_scorer_that_is_there_twice_counts_once(runs: Cli) -> None:
    assert runs("run", "baseline/random", "--out", "runs/again").returncode == 0
    found = told(runs, RANDOM, LENGTH, "runs/again")
    assert (found["scorers"], found["tests"]) == (["baseline/random", "baseline/length"], 20)
    (note,) = found["notes"]
    assert note.startswith(f"runs/again is left out: the same scorer and data as {RANDOM},")
    done = runs("compare", RANDOM, "runs/again")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Name another run to compare it with" in done.stderr


def test_csv_has_a_row_for_each_part(runs: Cli) -> None:
    done = runs("compare", LENGTH, RANDOM, "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert len(rows) == 20
    (row,) = (row for row in rows if (row["domain"], row["part"]) == ("all", "hard"))
    expected = told(runs, LENGTH, RANDOM)["pairs"][0]["differences"][18]
    assert float(row["difference"]) == pytest.approx(expected["difference"])
    assert float(row["p_holm"]) == pytest.approx(expected["p_holm"])
    assert float(row["low"]) < float(row["difference"]) < float(row["high"])


def test_markdown_has_the_same_tables(runs: Cli) -> None:
    done = runs("compare", LENGTH, RANDOM, "--format", "markdown")
    assert "| A baseline/length |" in done.stdout
    assert "| all average |" in done.stdout


def test_as_many_disagreements_are_shown_as_asked_for(runs: Cli) -> None:
    found = told(runs, LENGTH, RANDOM)["disagreements"]
    spreads = [item["spread"] for item in found]
    assert spreads == sorted(spreads, reverse=True)
    shown = runs("compare", LENGTH, RANDOM, "--top", "3").stdout
    title = f"The 3 tuples on which they disagree most, of {len(found)} on which they do at all"
    assert title in shown
    first = f"{found[0]['domain']}/{found[0]['id']}"
    assert first in shown


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ([RANDOM], "runs/base/baseline-random is the only scorer; name another run"),
        ([RANDOM, RANDOM], "runs/base/baseline-random is the only scorer"),
        (["nowhere", RANDOM], "nowhere: no such folder"),
    ],
)
def test_one_scorer_is_no_comparison(runs: Cli, folders: list[str], message: str) -> None:
    done = runs("compare", *folders)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_runs_that_share_no_tuples_are_refused(cli: Cli) -> None:
    for domain in ("chat", "math"):
        done = cli("run", "baseline/length", "--domain", domain, "--out", domain)
        assert done.returncode == 0
    done = cli("compare", "chat", "math")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no tuple is in all of these runs; compare runs of the same data" in done.stderr


def test_other_texts_under_the_same_ids_are_refused(cli: Cli, home: Path) -> None:
    texts = {"chosen": list("abc"), "rejected": list("def")}
    for name in ("one", "two"):
        (home / name).mkdir()
        item = {"id": 1, "prompt": name, **texts}
        (home / name / "chat.json").write_text(json.dumps([item]))
        done = cli("run", "baseline/length", "--data", f"{name}/chat.json", "--out", f"run-{name}")
        assert done.returncode == 0
    done = cli("compare", "run-one", "run-two")
    assert (done.returncode, done.stdout) == (2, "")
    assert "scored different texts under the same ids, in 1 tuples (chat/1)" in done.stderr


def test_data_that_has_moved_is_compared_where_it_is_now(cli: Cli, home: Path) -> None:
    texts = {"prompt": "p", "chosen": list("abc"), "rejected": list("def")}
    for name, count in (("chat", 1), ("chat_filtered", 2)):
        items = [{"id": number, **texts} for number in range(count)]
        (home / f"{name}.json").write_text(json.dumps(items))
        assert (
            cli("run", "baseline/random", "--data", f"{name}.json", "--out", name).returncode == 0
        )
    (home / "kept").mkdir()
    (home / "chat_filtered.json").rename(home / "kept" / "chat.json")
    assert (
        "say where the data is now with --data SOURCE"
        in cli("compare", "chat", "chat_filtered").stderr
    )
    assert cli("compare", "chat", "chat_filtered", "--data", "kept/chat.json").returncode == 0
