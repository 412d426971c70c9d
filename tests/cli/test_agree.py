"""`rmjudge agree`: runs against people's labels."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli

STYLES = ("concise", "detailed", "markdown")


@pytest.fixture(scope="module")
def ran(new_cli: Callable[[], Cli]) -> Cli:
    """A home with a baseline's run in `o`; in `same.csv` two people who mostly agree with it."""
    cli = new_cli()
    assert cli("run", "baseline/length", "baseline/random", "--out", "o").returncode == 0
    lines = ["tuple,pair,winner,annotator"]
    results = (cli.home / "o" / "baseline-length" / "results.jsonl").read_text("utf-8")
    for number, line in enumerate(results.splitlines()):
        item = json.loads(line)
        own = item["score_chosen"][0] - item["score_rejected"][2]
        winner = "chosen" if own > 0 else "rejected" if own < 0 else "tie"
        name = f"{item['domain']}/{item['id']},concise/markdown"
        lines.append(f"{name},{winner},ada")
        if number % 2:
            lines.append(f"{name},{winner if number % 4 == 1 else 'tie'},ben")
    (cli.home / "same.csv").write_text("\n".join(lines))
    return cli


def test_accuracy_kappa_ceiling_and_the_labels_that_are_wanted_come_out(ran: Cli) -> None:
    done = ran("agree", "o", "--labels", "same.csv", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    people, (length, random) = found["people"], found["scorers"]
    assert (people["annotators"], people["labels"], people["tuples"]) == (["ada", "ben"], 60, 40)
    assert (people["labelled_by_several"], people["ceiling"]) == (20, 0.5)
    overall = length["agreements"][0]
    # 40 labels of ada and 10 of ben say what the length says, 10 do not.
    assert overall["accuracy"] == pytest.approx(50 / 60)
    assert overall["interval"]["low"] < 50 / 60 < overall["interval"]["high"]
    assert overall["labels_wanted"] > 60
    assert length["where_several_labelled"]["accuracy"] == pytest.approx(0.75)
    assert random["agreements"][0]["kappa"] < overall["kappa"]
    assert [row["part"] for row in length["agreements"]] == [None, "chat", "math", "code", "safety"]


def test_the_table_says_what_the_ceiling_and_the_base_rate_are(ran: Cli) -> None:
    shown = " ".join(ran("agree", "o", "--labels", "same.csv").stdout.split())
    assert "The people: 2 annotators, 60 labels of 40 tuples" in shown
    assert "people among each other 20 50.0" in shown
    assert "(the base rate)" in shown
    assert "More for ±5 " in shown
    assert "More for ±2.5" in ran("agree", "o", "--labels", "same.csv", "--width", "2.5").stdout


def test_csv_and_markdown_have_the_same_rows(ran: Cli) -> None:
    done = ran("agree", "o", "--labels", "same.csv", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row["scorer"], row["part"]) for row in rows[:2]] == [
        ("baseline/length", "all"),
        ("baseline/length", "chat"),
    ]
    text = ran("agree", "o", "--labels", "same.csv", "--format", "markdown").stdout
    assert "| baseline/length | all | 40 | 60 | 83.3" in text


def test_labels_of_tuples_that_no_run_has_are_named(ran: Cli) -> None:
    (ran.home / "more.csv").write_text((ran.home / "same.csv").read_text() + "\nchat/999,,tie,ada")
    done = ran("agree", "o", "--labels", "more.csv")
    assert done.returncode == 0
    assert "1 labelled tuples are in no run" in " ".join(done.stdout.split())
    (ran.home / "none.csv").write_text("tuple,winner\nchat/999,tie")
    done = ran("agree", "o", "--labels", "none.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "(chat/999); name them as chat/22" in done.stderr


def test_a_wrong_file_is_told_and_nothing_is_shown(ran: Cli) -> None:
    (ran.home / "bad.csv").write_text("tuple,winner\nchat/101,A")
    done = ran("agree", "o", "--labels", "bad.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "bad.csv: 1 problem:\n  line 2: winner 'A' is unknown; there are chosen" in done.stderr
    assert ran("agree", "o").returncode == 2


def test_one_person_has_one_label_of_a_thing_whatever_the_tuple_is_called(ran: Cli) -> None:
    domain, id = next(
        (row["domain"], row["id"])
        for row in map(
            json.loads, (ran.home / "o/baseline-length/results.jsonl").read_text().splitlines()
        )
    )
    lines = f"tuple,winner,annotator\n{domain}/{id},chosen,ada\n{id},chosen,ada\n"
    (ran.home / "twice.csv").write_text(lines)
    done = ran("agree", "o", "--labels", "twice.csv")
    assert (done.returncode, done.stdout) == (2, "")
    assert "line 3: 'ada' has labelled this in line 2" in done.stderr
