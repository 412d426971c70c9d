"""Files as spreadsheets and other systems write them, and places where no results can lie."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from answering import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from command import Cli

TUPLE = {
    "id": "x",
    "domain": "chat",
    "prompt": "Say hi",
    "chosen": ["hi", "hi there", "**hi** there"],
    "rejected": ["yo", "yo there", "**yo** there!"],
}


def write(home: Path, name: str, text: str, encoding: str = "utf-8") -> None:
    (home / name).write_bytes(text.encode(encoding))


@pytest.mark.parametrize("out", ["taken", "taken/below"])
def test_a_place_where_no_results_can_lie_is_refused_before_a_call(cli: Cli, out: str) -> None:
    write(cli.home, "taken", "my notes")
    with Endpoint(lambda *_: (500, {})) as server:
        model = f"openai/judge@{server.address}"
        done = cli("run", model, "--data", "sample", "--limit", "1", "--out", out)

    assert done.returncode == 2
    assert f"the results cannot be written to {out}" in done.stderr
    assert server.asked == []
    assert (cli.home / "taken").read_text() == "my notes"


def test_options_saved_with_a_byte_order_mark_are_read(cli: Cli) -> None:
    write(cli.home, "rmjudge.toml", 'out = "here"\r\n', "utf-8-sig")
    assert cli("run", "baseline/length", "--data", "sample").returncode == 0
    assert (cli.home / "here" / "metrics.json").is_file()


@pytest.fixture
def scored(cli: Cli) -> Cli:
    write(cli.home, "d.json", json.dumps([TUPLE]))
    assert cli("run", "baseline/length", "--data", "d.json", "--out", "run").returncode == 0
    return cli


def agreement(cli: Cli, text: str, encoding: str) -> Any:
    write(cli.home, "labels.csv", text, encoding)
    done = cli("agree", "run", "--labels", "labels.csv")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("comma", [";", "\t"])
def test_labels_from_a_spreadsheet_say_the_same(scored: Cli, comma: str) -> None:
    text = "tuple,pair,winner,annotator\nchat/x,concise/markdown,rejected,ada\n"
    plain = agreement(scored, text, "utf-8")
    other = text.replace(",", comma).replace("\n", "\r\n").replace("rejected", "Rejected")
    assert agreement(scored, other, "utf-8-sig") == plain


def test_policies_from_a_spreadsheet_are_read(scored: Cli) -> None:
    rows = "scorer;domain;task;score\r\nbaseline/length;chat;arena;eight\r\n"
    write(scored.home, "p.csv", rows, "utf-8-sig")
    done = scored("correlate", "run", "--with", "p.csv")
    assert done.returncode == 2
    assert "no column" not in done.stderr
    assert "line 2" in done.stderr
