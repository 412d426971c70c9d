"""`rmjudge compare --table`: classifiers against implicit rewards, a preference set a row."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from command import Cli

REFERENCE = {"model": "folder"}
PAIRS = """
["hh-rlhf"]
classifier = "runs/length"
dpo = "runs/dpo"
without-reference = "runs/alone"

[nectar]
classifier = "runs/random"
dpo = "runs/dpo"
"""


def as_policy(cli: Cli, folder: str, reference: Any) -> None:
    """Make a run one of a policy: its scores stay, and its record says who gave them."""
    path = cli.home / folder / "run.json"
    record = json.loads(path.read_text("utf-8"))
    record["identity"] = {"provider": "dpo", "model": "folder", "reference": reference}
    path.write_text(json.dumps(record), "utf-8")


@pytest.fixture(scope="module")
def runs(new_cli: Callable[[], Cli]) -> Cli:
    """Runs on the sample: two classifiers, a policy with and one without its reference."""
    cli = new_cli()
    kinds = {"length": "length", "random": "random", "dpo": "markdown", "alone": "random"}
    for name, kind in kinds.items():
        assert cli("run", f"baseline/{kind}", "--out", f"runs/{name}").returncode == 0
    as_policy(cli, "runs/dpo", REFERENCE)
    as_policy(cli, "runs/alone", None)
    (cli.home / "pairs.toml").write_text(PAIRS, "utf-8")
    return cli


def test_accuracies_are_those_of_the_reports_with_their_intervals(runs: Cli) -> None:
    done = runs("compare", "--table", "pairs.toml", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = json.loads(done.stdout)["sets"]
    assert list(first["accuracies"]) == ["classifier", "dpo", "without-reference"]
    assert list(second["accuracies"]) == ["classifier", "dpo"]
    for kind, folder in (("classifier", "length"), ("dpo", "dpo")):
        metrics = runs.json(f"runs/{folder}/metrics.json")
        for part in ("easy", "normal", "hard", "average"):
            found = first["accuracies"][kind][part]
            assert found["value"] == pytest.approx(metrics[part])
            assert found["interval"]["low"] <= found["value"] <= found["interval"]["high"]


def test_differences_are_those_of_compare_and_all_sets_are_corrected_together(runs: Cli) -> None:
    sets = json.loads(runs("compare", "--table", "pairs.toml", "--format", "json").stdout)["sets"]
    rows = [row for one in sets for row in one["differences"]]
    assert [(row["first"], row["second"]) for row in rows] == [
        ("classifier", "dpo"),
        ("classifier", "without-reference"),
        ("dpo", "without-reference"),
        ("classifier", "dpo"),
    ]
    words = ("compare", "runs/length", "runs/dpo", "--baselines", "--format", "json")
    (pair,) = json.loads(runs(*words).stdout)["pairs"]
    average = pair["differences"][-1]
    for name in ("difference", "interval", "p"):
        assert rows[0][name] == pytest.approx(average[name])
    # Holm by hand: the smallest of four p-values counts fourfold, the next threefold, ...
    largest, expected = 0.0, {}
    for done, place in enumerate(sorted(range(4), key=lambda k: rows[k]["p"])):
        largest = max(largest, min(1.0, rows[place]["p"] * (4 - done)))
        expected[place] = largest
    assert [row["p_holm"] for row in rows] == pytest.approx([expected[k] for k in range(4)])
    assert [row["evident"] for row in rows] == [row["p_holm"] < 0.05 for row in rows]


def test_it_is_a_table_and_csv_and_markdown(runs: Cli) -> None:
    table = runs("compare", "--table", "pairs.toml")
    assert table.returncode == 0, table.stderr
    assert "DPO, no reference" in table.stdout
    assert "of 4 differences are real" in table.stdout
    text = runs("compare", "--table", "pairs.toml", "--format", "csv").stdout
    lines = list(csv.DictReader(text.splitlines()))
    assert [line["set"] for line in lines] == ["hh-rlhf"] * 3 + ["nectar"]
    gap = float(lines[0]["first_accuracy"]) - float(lines[0]["second_accuracy"])
    assert float(lines[0]["difference"]) == pytest.approx(gap)
    assert "| hh-rlhf | DPO, reference |" in (
        runs("compare", "--table", "pairs.toml", "--format", "markdown").stdout
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[a]\nclassifier = "runs/dpo"\ndpo = "runs/dpo"', "is a run of a policy with its refere"),
        ('[a]\nclassifier = "runs/length"\ndpo = "runs/alone"', "of a policy without its referen"),
        (
            '[a]\nclassifier = "runs/length"\ndpo = "runs/random"',
            "a.dpo: runs/random is a run of a cl",
        ),
        ('[a]\nclassifier = "runs/length"\ndpo = "runs"', "holds several scorers; name one"),
        ('[a]\nclassifier = "runs/length"', "has nothing to compare"),
        ('[a]\nclasifier = "x"\ndpo = "y"', "a.clasifier: did you mean classifier?"),
        ('[a]\nclassifier = 1\ndpo = "y"', "a.classifier is not the folder of a run"),
        ('a = "x"', "a is no table"),
        ("", "is empty"),
        ("[a", "is no TOML"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(runs: Cli, text: str, says: str) -> None:
    (runs.home / "bad.toml").write_text(text, "utf-8")
    done = runs("compare", "--table", "bad.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.parametrize("words", [(), ("runs/length", "--table", "pairs.toml")])
def test_runs_or_a_table_are_named_not_both(runs: Cli, words: tuple[str, ...]) -> None:
    done = runs("compare", *words)
    assert (done.returncode, "--table FILE" in done.stderr) == (2, True)
