"""The recipe `code`: tests decide which of a model's samples is right, in a sandbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from offered import lines, offer, words
from sandboxes import lend_compiled, needs_wasm
from scripted_code import MARKDOWN, ScriptedCoder, offered, sample_rows

PROMPT = "Write a Python function `double(x)` that doubles a number."
TESTS = "assert double(2) == 4\nassert double(0) == 0"


@pytest.fixture
def cli(tmp_path: Path, request: pytest.FixtureRequest) -> Cli:
    lend_compiled(tmp_path / ".cache", request.config)
    return Cli(tmp_path)


@pytest.fixture
def coder() -> Iterator[Callable[..., ScriptedCoder]]:
    started: list[ScriptedCoder] = []

    def start(*answers: str) -> ScriptedCoder:
        server = ScriptedCoder({PROMPT: list(answers)} if answers else None)
        started.append(server.__enter__())
        return server

    yield start
    for server in started:
        server.__exit__(None, None, None)


def said(source: str, about: str = "It is done in **one** step.") -> str:
    return f"## Solution\n\n{about}\n\n```python\n{source}\n```\n\nThat is all there is to it."


RIGHT = said("def double(x):\n    return 2 * x")
WRONG = said("def double(x):\n    return x + 2")
CASE = {"id": 1, "prompt": PROMPT, "tests": TESTS, "language": "python"}


@needs_wasm
def test_the_samples_code_tuples_are_built_again_from_their_own_tests(
    cli: Cli, coder: Callable[..., ScriptedCoder]
) -> None:
    rows = sample_rows()
    offer(cli, *map(offered, rows))
    writer = coder()
    done = cli(*words(writer.model))
    assert done.returncode == 0, done.stderr
    built = cli.json("mine/tuples.json")
    assert [item["id"] for item in built] == [row["id"] for row in rows]
    for item, row in zip(built, rows, strict=True):
        for side in ("chosen", "rejected"):
            assert item[side][MARKDOWN] == row[side][MARKDOWN]
            concise = item[side][0]
            assert f"```python\n{concise}\n```" in item[side][MARKDOWN]
            assert concise in item[side][1]
            assert "```" not in item[side][1]
    about = lines(cli, "mine/provenance.jsonl")
    assert {item["proof"] for item in about} == {"executed"}
    assert {item["sandbox"] for item in about} == {"wasm"}
    asked = dict(writer.counts)
    first = (cli.home / "mine" / "tuples.json").read_bytes()
    assert cli(*words(writer.model)).returncode == 0
    assert dict(writer.counts) == asked
    assert (cli.home / "mine" / "tuples.json").read_bytes() == first
    assert cli("data", "check", "mine").returncode == 0


@needs_wasm
def test_a_program_that_does_not_build_or_ends_early_is_no_rejected_side(
    cli: Cli, coder: Callable[..., ScriptedCoder]
) -> None:
    offer(cli, CASE)
    writer = coder(
        RIGHT,
        said("def double(x:\n    return 2 * x"),
        said("def double(x):\n    return 2 * y"),
        said("raise SystemExit(0)"),
        said("def double(x):\n    raise ValueError"),
    )
    done = cli(*words(writer.model))
    assert done.returncode == 0, done.stderr
    assert cli.json("mine/tuples.json") == []
    (reject,) = lines(cli, "mine/rejects.jsonl")
    assert (reject["step"], reject["reason"]) == ("execute", "none-is-wrong")
    assert set(reject["samples"]) == {
        "pass", "build-error", "missing-name", "early-end", "exception"
    }  # fmt: skip


@needs_wasm
def test_the_two_sides_are_those_nearest_in_length(
    cli: Cli, coder: Callable[..., ScriptedCoder]
) -> None:
    offer(cli, CASE)
    long = said("def double(x):\n    return x + 2", "It is done in **one** step. " * 30)
    writer = coder(long, RIGHT, WRONG, long.replace("x + 2", "x + 3"))
    assert cli(*words(writer.model)).returncode == 0
    (item,) = cli.json("mine/tuples.json")
    assert (item["chosen"][MARKDOWN], item["rejected"][MARKDOWN]) == (RIGHT, WRONG)


@needs_wasm
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("I am sorry, I cannot do **that**.\n\n- No.", "code-block"),
        (RIGHT + "\n\n```python\ndouble(2)\n```", "code-block"),
        (said("def double(x):\n    return 2 * x", "As instructed, **here** it is."), "prompt-leak"),
        (RIGHT[: -len(" there is to it.")], "truncated"),
    ],
)
def test_samples_that_cannot_be_used_are_told(
    cli: Cli, coder: Callable[..., ScriptedCoder], bad: str, reason: str
) -> None:
    offer(cli, CASE)
    writer = coder(bad)
    assert cli(*words(writer.model)).returncode == 0
    (reject,) = lines(cli, "mine/rejects.jsonl")
    assert reject["reason"] == "none-passes"
    assert set(reject["samples"]) == {reason}


def test_a_program_that_passes_now_and_then_is_on_neither_side(
    cli: Cli, coder: Callable[..., ScriptedCoder]
) -> None:
    offer(cli, CASE)
    source = (
        "import os\nfirst = not os.path.exists('mark')\n"
        "open('mark', 'w').close() if first else os.remove('mark')\n"
        "def double(x):\n    return 0 if first else 2 * x"
    )
    writer = coder(said(source))
    # A command that keeps no program from files: each run finds what the one before left.
    assert cli(*words(writer.model, "--sandbox", "command=python3 -I -")).returncode == 0
    (reject,) = lines(cli, "mine/rejects.jsonl")
    assert set(reject["samples"]) == {"unsteady"}


def test_without_its_sandbox_nothing_is_called(
    cli: Cli, coder: Callable[..., ScriptedCoder]
) -> None:
    writer = coder(RIGHT)
    offer(cli, CASE | {"language": "javascript"})
    done = cli(*words(writer.model))
    assert (done.returncode, "--sandbox" in done.stderr) == (2, True)
    done = cli(*words(writer.model, "--sandbox", "none"))
    assert (done.returncode, "--yes-run-untrusted-code" in done.stderr) == (2, True)
    assert not writer.counts


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"language": "cobol"}, "language 'cobol' is not known"),
        ({"language": "cpp"}, "RMJUDGE_PASS"),
        ({"language": None}, "language"),
        ({"good": "a", "bad": "b", "domain": "code"}, "one recipe"),
    ],
)
def test_tests_that_cannot_decide_are_refused(cli: Cli, fields: dict[str, Any], told: str) -> None:
    line = {name: value for name, value in (CASE | fields).items() if value is not None}
    offer(cli, line)
    done = cli(*words("openai/x@http://127.0.0.1:9/v1"))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dry_run_counts_the_first_samples_and_runs_nothing(
    cli: Cli, coder: Callable[..., ScriptedCoder]
) -> None:
    offer(cli, CASE)
    writer = coder(RIGHT)
    told = json.loads(cli(*words(writer.model, "--dry-run", "--json")).stdout)
    assert [row["to_buy"] for row in told["dry_run"]] == [4]
    assert not writer.counts
