"""`rmjudge readings`: a run beside other tools' readings of it."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli
    from served import ModelServer


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with a judge asked in one order in `one`, in both in `both`, and a baseline."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    cli("run", server.judge, "--limit", "1", "--out", "one")
    cli("run", server.judge, "--limit", "1", "--order", "both", "--out", "both")
    cli("run", "baseline/length", "--domain", "chat", "--out", "length")
    return cli


def test_ours_comes_first_and_a_sentence_explains_each_other(ran: Cli) -> None:
    done = ran("readings", "one", COLUMNS="100")
    text = " ".join(done.stdout.split())
    assert (done.returncode, done.stderr) == (0, "")
    assert text.index("rmjudge (half credit)") < text.index("RM-R1 as published")
    assert "RM-R1 as published: Its script takes the third result file" in text
    assert "Not from this run: GRAM, flexeval, JudgeBench, arena-hard. Needed: both orders" in text


def test_two_runs_of_one_scorer_have_titles_of_their_own(ran: Cli) -> None:
    shown = ran("readings", "one", "both", "--format", "markdown").stdout
    for folder in ("one", "both"):
        assert f"openai/judge ({folder}) as other tools read it" in shown


def test_json_holds_the_numbers_and_what_is_not_to_be_had(ran: Cli) -> None:
    (scorer,) = json.loads(ran("readings", "both", "--format", "json").stdout)["scorers"]
    found = {reading["tool"]: reading for reading in scorer["readings"]}
    assert scorer["ours"]["average"] == ran.json("both/metrics.json")["average"]
    assert found["arena-hard"]["average"] == pytest.approx(scorer["ours"]["average"])
    assert found["rm-r1"]["average"] is None
    assert found["rm-r1"]["unavailable"].startswith("one order")


def test_csv_has_a_row_a_tool_and_says_which_domains_are_missing(ran: Cli) -> None:
    done = ran("readings", "length", "--as", "rm-bench", "--format", "csv")
    ours, theirs = csv.DictReader(done.stdout.splitlines())
    assert (ours["tool"], theirs["tool"]) == ("rmjudge", "rm-bench")
    assert ours["average"] == theirs["average"]
    assert theirs["missing_domains"] == "math+code+safety"


def test_an_incomplete_run_has_its_mark_in_every_reading(ran: Cli) -> None:
    lines = ran("readings", "length").stdout.splitlines()
    figures = [line.split() for line in lines if line.startswith(("rmjudge (", "RM-Bench's s"))]
    assert any("* average over chat only; math, code, safety missing" in line for line in lines)
    assert all(any(cell.endswith("*") for cell in line) for line in figures[:2])


@pytest.mark.parametrize(("format", "sign"), [("markdown", "| --- |"), ("latex", r"\toprule")])
def test_it_can_stand_in_documents(ran: Cli, format: str, sign: str) -> None:
    done = ran("readings", "one", "both", "--format", format)
    assert done.returncode == 0
    assert done.stdout.count(sign) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("one", "--as", "gram"), "cannot be read as GRAM; needed: both orders"),
        (("one", "--as", "rm-bnch"), "no such tool; did you mean rm-bench?"),
        (("nowhere",), "nowhere: no such folder"),
    ],
)
def test_what_cannot_be_read_is_told(ran: Cli, words: tuple[str, ...], told: str) -> None:
    done = ran("readings", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
