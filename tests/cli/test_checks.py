"""`rmjudge run` where nobody watches: exit codes by what was asked, JUnit, JSON lines, Markdown."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

CELLS = 36
LOST = ["no-verdict", "no-verdict"]


def run(server: ModelServer, *more: str) -> tuple[str, ...]:
    models = [word for word in more if word.startswith("baseline/")]
    more = tuple(word for word in more if word not in models)
    return ("run", server.judge, *models, "--limit", "1", "--concurrency", "1", "--out", "o", *more)


@pytest.mark.parametrize(
    ("allowed", "code"), [("0", 1), ("1", 1), ("2", 0), ("5%", 1), ("5.6%", 0), ("100%", 0)]
)
def test_so_many_cells_may_lack_a_score(
    cli: Cli, server: ModelServer, allowed: str, code: int
) -> None:
    server.control(script=LOST)
    assert cli(*run(server, "--allow-unscored", allowed)).returncode == code
    assert cli.json("o/metrics.json")["unscored_cells"] == 2


def test_under_the_least_is_4_and_says_which(cli: Cli, server: ModelServer) -> None:
    done = cli(*run(server, "--fail-under", "hard=99.9", "--fail-under", "easy=0"))
    hard = cli.json("o/metrics.json")["hard"]
    assert hard < 0.999
    assert done.returncode == 4
    told = f"openai/judge: Hard is {100 * hard:.2f} %, 99.9 % is the least (--fail-under)"
    assert f"rmjudge: {told}" in done.stderr
    assert "Easy is" not in done.stderr
    assert cli(*run(server, "--fail-under", f"hard={100 * hard:.10f}")).returncode == 0


def test_the_least_can_stand_in_the_file_and_a_baseline_has_none(cli: Cli) -> None:
    (cli.home / "rmjudge.toml").write_text("[fail_under]\nhard = 90\n")
    assert cli("run", "baseline/length", "--limit", "1", "--out", "o").returncode == 0


def test_too_many_lost_cells_come_before_a_number_that_they_put_in_doubt(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=LOST)
    assert cli(*run(server, "--fail-under", "hard=99.9")).returncode == 1


def test_a_scorer_without_any_score_has_not_reached_the_least(
    cli: Cli, server: ModelServer
) -> None:
    server.control(faults=["no-verdict"], rate=1)
    words = run(server, "--allow-unscored", "100%", "--fail-under", "hard=0", "--no-early-stop")
    done = cli(*words)
    assert done.returncode == 4
    assert "Hard is unknown, 0 % is the least" in done.stderr


def test_junit_has_a_case_for_each_check_and_a_failure_for_each_that_failed(
    cli: Cli, server: ModelServer
) -> None:
    server.control(script=LOST)
    cli(*run(server, "baseline/length", "--fail-under", "hard=99.9", "--junit", "checks.xml"))
    suite = ET.parse(cli.home / "checks.xml").getroot()[0]  # noqa: S314
    assert suite.attrib["tests"] == "5"
    assert suite.attrib["failures"] == "2"
    failed = {case.attrib["name"]: case[0] for case in suite if len(case)}
    assert failed["cells without a score"].attrib["message"] == (
        f"2 of {CELLS} cells have no score, 0 may"
    )
    assert "hard at least 99.9 %" in failed
    assert {case.attrib["classname"] for case in suite} == {"openai/judge", "baseline/length"}


def test_junit_of_a_stopped_run_has_an_error(cli: Cli, server: ModelServer) -> None:
    server.control(script=["ok", "quota"])
    assert cli(*run(server, "--junit", "checks.xml")).returncode == 3
    suite = ET.parse(cli.home / "checks.xml").getroot()[0]  # noqa: S314
    assert (suite.attrib["errors"], suite.attrib["skipped"]) == ("1", "1")
    assert "exceeded your current quota" in suite[0][0].attrib["message"]


def test_each_run_adds_a_line_of_json_for_each_scorer(cli: Cli, server: ModelServer) -> None:
    for _ in range(2):
        cli(*run(server, "baseline/length", "--append", "history.jsonl"))
    lines = [json.loads(line) for line in (cli.home / "history.jsonl").read_text().splitlines()]
    assert [line["scorer"] for line in lines] == ["openai/judge", "baseline/length"] * 2
    metrics = cli.json("o/openai-judge/metrics.json")
    assert {part: lines[0][part] for part in ("easy", "normal", "hard", "average")} == {
        part: metrics[part] for part in ("easy", "normal", "hard", "average")
    }
    assert (lines[0]["exit_code"], lines[0]["data"], lines[0]["folder"]) == (0, "sample", "o")


def test_a_step_of_github_gets_the_result_as_markdown(cli: Cli, server: ModelServer) -> None:
    (cli.home / "step.md").write_text("before\n")
    place = str(cli.home / "step.md")
    cli(*run(server, "--fail-under", "hard=99.9"), GITHUB_STEP_SUMMARY=place)
    shown = (cli.home / "step.md").read_text("utf-8")
    assert shown.startswith("before\n### Substance or style?\n")
    assert "| openai/judge |" in shown
    assert "### Not as asked\n\nopenai/judge: Hard is" in shown
    assert shown.endswith("Exit code 4.\n")


def test_a_refused_key_is_told_in_lines_and_no_matrix(cli: Cli, server: ModelServer) -> None:
    server.control(faults=["key"], rate=1)
    done = cli(*run(server))
    assert done.returncode == 3
    assert done.stdout == ""
    said = [line for line in done.stderr.splitlines() if "stopped" in line]
    assert len(said) == 1
    assert "Incorrect API key provided" in said[0]
