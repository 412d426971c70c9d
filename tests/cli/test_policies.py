"""`[policy.NAME]` of `rmjudge.toml`: DPO policies in a table, run and compared by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from local_models import Kind, make, write_data

from rmjudge import UsageError
from rmjudge.config import read_config

if TYPE_CHECKING:
    from command import Cli

TABLE = """
data = ["data.jsonl"]

[policy.hh]
model = "./dpo"
reference = "./r&d%"
preferences = "HH-RLHF"
classifier = "./rm"
without-reference = true
"""


def test_one_table_runs_the_articles_three_columns_and_compares_them(cli: Cli) -> None:
    write_data(cli.home / "data.jsonl")
    make(cli.home / "dpo", Kind(task="CausalLM"))
    make(cli.home / "r&d%", Kind(task="CausalLM", seed=8))
    make(cli.home / "rm", Kind())
    (cli.home / "rmjudge.toml").write_text(TABLE)
    done = cli("run", "--quiet", "--out", "runs", OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert cli.json("runs/hh/run.json")["identity"]["reference"] is not None
    assert cli.json("runs/hh-alone/run.json")["identity"]["reference"] is None
    told = cli("compare", "--table", "rmjudge.toml", "runs", "--format", "json")
    assert told.returncode == 0, told.stderr
    (row,) = json.loads(told.stdout)["sets"]
    assert row["set"] == "HH-RLHF"
    assert list(row["accuracies"]) == ["classifier", "dpo", "without-reference"]
    for kind, name in zip(row["accuracies"], ("hh-classifier", "hh", "hh-alone"), strict=True):
        average = cli.json(f"runs/{name}/metrics.json")["average"]
        assert row["accuracies"][kind]["average"]["value"] == pytest.approx(average)

    without = cli("compare", "--table", "rmjudge.toml")
    assert without.returncode == 2
    assert "name the RUN that scored them" in without.stderr
    other = cli("compare", "--table", "rmjudge.toml", "runs/hh")
    assert other.returncode == 2
    assert "hold no scorer hh-classifier" in " ".join(other.stderr.split())


def test_policies_stand_beside_other_models_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "rmjudge.toml"
    file.write_text('models = ["baseline/length"]\n[policy.a]\nmodel = "./dpo"\n')
    assert read_config(file)["models"] == ["baseline/length", "a=dpo/./dpo"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("policy = 1", "is not tables such as"),
        ("[policy]\nmodel = './dpo'", "policy has tables"),
        ("[policy.a]", "policy.a names no model"),
        ("[policy.a]\nmodel = 1", "policy.a.model = 1 is not a text"),
        ("[policy.a]\nmodel = './dpo'\nreferense = './sft'", "did you mean"),
        ("[policy.a]\nmodel = './dpo'\nwithout-reference = true", "that has a reference"),
        ("[policy.a]\nmodel = './dpo'\nreference = './s'\nwithout-reference = 1", "true or false"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "rmjudge.toml"
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        read_config(file)
    assert says in str(caught.value)
