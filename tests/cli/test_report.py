"""`rmjudge report`: finished runs in every format, from any folder that holds some."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with runs/several (judge and reward model) and runs/one (a baseline)."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    cli("run", server.judge, server.reward, "--limit", "1", "--out", "runs/several")
    cli("run", "baseline/length", "--limit", "1", "--out", "runs/one")
    return cli


def scorers(cli: Cli, *folders: str) -> list[str]:
    done = cli("report", *folders, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    return [scorer["scorer"] for scorer in json.loads(done.stdout)["scorers"]]


def test_the_table_is_what_the_run_printed(cli: Cli, server: ModelServer) -> None:
    run = cli("run", server.reward, "--limit", "1", "--out", "o")
    assert cli("report", "o").stdout == run.stdout
    assert "vllm/rm" in run.stdout


def test_json_holds_the_numbers_of_metrics_json(runs: Cli) -> None:
    done = runs("report", "runs/one", "--format", "json")
    (scorer,) = json.loads(done.stdout)["scorers"]
    metrics = runs.json("runs/one/metrics.json")
    for name in ("easy", "normal", "hard", "average", "tie_rate", "bounds", "strict"):
        assert scorer[name] == metrics[name]
    assert scorer["domains"]["math"]["matrix"] == metrics["domains"]["math"]["matrix"]


def test_csv_has_a_row_per_number(runs: Cli) -> None:
    done = runs("report", "runs/one", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    (hard,) = (row for row in rows if (row["domain"], row["measure"]) == ("all", "hard"))
    assert float(hard["value"]) == pytest.approx(
        runs.json("runs/one/metrics.json")["hard"], abs=1e-6
    )
    assert {row["scorer"] for row in rows} == {"baseline/length"}


@pytest.mark.parametrize(
    ("format", "signs"),
    [
        ("table", ["Accuracy, %", "baseline/length", "rejected"]),
        ("markdown", ["| --- |", "baseline/length"]),
        ("latex", [r"\begin{tabular}", r"\end{tabular}", "baseline/length"]),
    ],
)
def test_a_report_for_people_is_in_the_format_asked_for(
    runs: Cli, format: str, signs: list[str]
) -> None:
    done = runs("report", "runs/one", "--format", format)
    assert (done.returncode, done.stderr) == (0, "")
    assert [sign for sign in signs if sign not in done.stdout] == []


def test_a_run_of_several_scorers_is_reported_from_its_folder(runs: Cli) -> None:
    assert scorers(runs, "runs/several") == ["openai/judge", "vllm/rm"]


def test_one_scorer_of_a_run_is_reported_from_its_own_folder(runs: Cli) -> None:
    assert scorers(runs, "runs/several/vllm-rm") == ["vllm/rm"]


def test_the_folder_above_reports_every_run_in_it(runs: Cli) -> None:
    assert sorted(scorers(runs, "runs")) == ["baseline/length", "openai/judge", "vllm/rm"]


def test_several_folders_are_one_report_in_their_order(runs: Cli) -> None:
    found = scorers(runs, "runs/several/vllm-rm", "runs/one", "runs/several/openai-judge")
    assert found == ["vllm/rm", "baseline/length", "openai/judge"]


def test_a_folder_named_twice_is_reported_once(runs: Cli) -> None:
    assert scorers(runs, "runs/one", "runs/one", "runs") == [
        "baseline/length",
        "openai/judge",
        "vllm/rm",
    ]


@pytest.mark.parametrize(
    ("folder", "message"),
    [("nowhere", "nowhere: no such folder"), ("empty", "empty: no metrics.json in it")],
)
def test_a_folder_without_a_run_is_wrong_input(cli: Cli, folder: str, message: str) -> None:
    (cli.home / "empty").mkdir()
    done = cli("report", folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"rmjudge: {message}; give the folder that `rmjudge run` wrote")


@pytest.mark.parametrize("name", ["metrics.json", "results.jsonl", "run.json"])
@pytest.mark.parametrize("text", ["{broken", "[1]"])
def test_a_damaged_file_of_a_run_is_named(cli: Cli, runs: Cli, name: str, text: str) -> None:
    (cli.home / "o").mkdir()
    for path in (runs.home / "runs" / "one").iterdir():
        (cli.home / "o" / path.name).write_bytes(path.read_bytes())
    (cli.home / "o" / name).write_text(text)
    done = cli("report", "o")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"rmjudge: o/{name} is no file of a run")
    assert "Traceback" not in done.stderr


def test_several_scorers_in_the_folder_of_one_are_all_reported(cli: Cli) -> None:
    for models in (["baseline/length"], ["baseline/length", "baseline/random"]):
        assert cli("run", *models, "--limit", "1", "--out", "o").returncode == 0
    assert "baseline/random" in cli("report", "o").stdout


def test_a_full_device_is_told_and_not_traced(cli: Cli) -> None:
    assert cli("run", "baseline/length", "--limit", "1", "--out", "o").returncode == 0
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rmjudge", "report", "o"],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=cli.home,
            text=True,
            check=False,
        )
    assert done.returncode == 3
    assert "the output cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


def test_scorers_are_reported_in_the_order_in_which_they_were_run(cli: Cli) -> None:
    models = ["baseline/random", "baseline/length", "baseline/markdown"]
    assert cli("run", *models, "--limit", "1", "--out", "o").returncode == 0
    shown = json.loads(cli("report", "o", "--format", "json").stdout)
    assert [scorer["scorer"] for scorer in shown["scorers"]] == models
