"""`rmjudge data audit`: tests decide whether code tuples are what they claim."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from sandboxes import lend_compiled, needs_wasm
from scripted_code import MARKDOWN, offered, sample_rows


@pytest.fixture
def cli(tmp_path: Path, request: pytest.FixtureRequest) -> Cli:
    lend_compiled(tmp_path / ".cache", request.config)
    return Cli(tmp_path)


def write(cli: Cli, name: str, *lines: dict[str, Any]) -> None:
    (cli.home / name).write_text("".join(json.dumps(line) + "\n" for line in lines))


@needs_wasm
def test_the_samples_code_tuples_are_what_they_claim(cli: Cli) -> None:
    write(cli, "tests.jsonl", *map(offered, sample_rows()))
    done = cli("data", "audit", "sample", "--tests", "tests.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["checked"], told["findings"]) == (10, [])


@needs_wasm
def test_each_way_of_not_being_what_it_claims_has_its_name(cli: Cli) -> None:
    one, two, three, four, five = sample_rows()[:5]
    one["chosen"], one["rejected"] = one["rejected"], one["chosen"]
    two["rejected"] = [*two["rejected"][:2], two["chosen"][MARKDOWN] + "\n"]
    three["rejected"][MARKDOWN] = "```python\ndef podium(:\n```"
    four["rejected"][MARKDOWN] = "I would use a loop."
    five["rejected"][MARKDOWN] = "```python\ndef split_bill(*_): return {}[0]\n```"
    rows = [one, two, three, four, five]
    write(cli, "mine.jsonl", *rows)
    write(cli, "tests.jsonl", *map(offered, rows), {"id": "else", "prompt": "no tests"})
    done = cli("data", "audit", "mine.jsonl", "--tests", "tests.jsonl", "--json")
    assert done.returncode == 0, done.stderr
    found = {item["id"]: item["finding"] for item in json.loads(done.stdout)["findings"]}
    names = (
        *("inverted", "both-pass", "rejected-does-not-build", "no-code"),
        "rejected-ends-otherwise",
    )
    assert found == dict(zip([row["id"] for row in rows], names, strict=True))
    table = cli("data", "audit", "mine.jsonl", "--tests", "tests.jsonl")
    assert "the rejected passes the tests, the chosen fails them" in table.stdout


def test_tests_that_belong_to_no_tuple_are_told(cli: Cli) -> None:
    row = offered(sample_rows()[0])
    write(cli, "tests.jsonl", row | {"id": 9})
    done = cli("data", "audit", "sample", "--tests", "tests.jsonl")
    assert done.returncode == 2
    assert "tests of none of these code tuples" in done.stderr
    write(cli, "tests.jsonl", {"id": 301}, {"id": 302, "tests": "x"}, row, row)
    done = cli("data", "audit", "sample", "--tests", "tests.jsonl")
    assert done.returncode == 2
    assert "tests.jsonl:2: language is missing" in done.stderr
    assert "tests.jsonl:4: the id" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_chosen_that_returns_one_of_two_numbers_is_found_in_another_language(cli: Cli) -> None:
    if shutil.which("bwrap") is None or shutil.which("node", path="/usr/bin") is None:
        pytest.skip("bubblewrap or /usr/bin/node is not installed")
    # As in two tuples of RM-Bench: (a, b) is b alone.
    sides = {
        side: ["a", "b", f"```javascript\nfunction pair(a, b) {{ return {result}; }}\n```"]
        for side, result in (("chosen", "(a, b)"), ("rejected", "[a, b]"))
    }
    write(cli, "mine.jsonl", {"id": 599, "domain": "code", "prompt": "A pair.", **sides})
    tests = "console.assert(JSON.stringify(pair(1, 2)) === '[1,2]');"
    write(cli, "tests.jsonl", {"id": 599, "language": "javascript", "tests": tests})
    words = ("data", "audit", "mine.jsonl", "--tests", "tests.jsonl", "--sandbox", "bwrap")
    done = cli(*words, "--json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["id"], found["finding"]) == (599, "inverted")
