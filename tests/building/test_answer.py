"""The recipe `answer`: a known final answer decides which of a model's samples is right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from offered import lines, offer, words
from scripted_answers import CONCISE, MARKDOWN, ScriptedSolver, offered, sample_rows

pytest.importorskip("math_verify", reason="math-verify is not installed: rmjudge[build]")

PROMPT = "How many of the numbers from 1 to 30 are primes?"
CASE = {"id": 1, "prompt": PROMPT, "answer": "10"}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def solver() -> Iterator[Callable[..., ScriptedSolver]]:
    started: list[ScriptedSolver] = []

    def start(*answers: str, short: dict[str, str] | None = None) -> ScriptedSolver:
        server = ScriptedSolver({PROMPT: list(answers)} if answers else None, short)
        started.append(server.__enter__())
        return server

    yield start
    for server in started:
        server.__exit__(None, None, None)


def said(end: str, about: str = "They are counted **one by one**, and each is tried.") -> str:
    return (
        f"## Counting\n\n{about}\n\n- The even ones are left out, all but the first of them.\n"
        f"- So are the multiples of three and of five, all but the first of each.\n\n{end}"
    )


RIGHT, WRONG = said("**Answer: 10**"), said("**Answer: 11**")
SHORT = {RIGHT: "Each is tried. The answer is 10.", WRONG: "Each is tried. The answer is 11."}


def test_the_samples_math_tuples_are_built_again_from_their_own_answers(
    cli: Cli, solver: Callable[..., ScriptedSolver]
) -> None:
    rows = sample_rows()
    offer(cli, *map(offered, rows))
    writer = solver()
    done = cli(*words(writer.model))
    assert done.returncode == 0, done.stderr
    built = cli.json("mine/tuples.json")
    assert [item["id"] for item in built] == [row["id"] for row in rows]
    for item, row in zip(built, rows, strict=True):
        assert item["domain"] == "math"
        for side in ("chosen", "rejected"):
            assert item[side][MARKDOWN] == row[side][MARKDOWN]
            assert item[side][CONCISE] == row[side][CONCISE]
            assert "**" not in item[side][1]
    about = lines(cli, "mine/provenance.jsonl")
    assert {item["proof"] for item in about} == {"answer"}
    for item, row in zip(about, rows, strict=True):
        assert item["stated"] == {"chosen": row["answer"], "rejected": row["wrong_answer"]}
        assert item["graded"] == {"chosen": ["equal"] * 3, "rejected": ["different"] * 3}
    asked = len(writer.messages)
    first = (cli.home / "mine" / "tuples.json").read_bytes()
    assert cli(*words(writer.model)).returncode == 0
    assert len(writer.messages) == asked
    assert (cli.home / "mine" / "tuples.json").read_bytes() == first
    told = json.loads(cli(*words(writer.model, "--dry-run", "--json")).stdout)
    assert [(row["calls"], row["to_buy"]) for row in told["dry_run"]] == [(60, 0)]
    assert cli("data", "check", "mine").returncode == 0


@pytest.mark.parametrize(
    ("answer", "sides", "stated"),
    [
        ("1/2", ("0.5", "0.75"), "without a unit"),
        (r"\frac{\sqrt{3}}{2}", (r"$\sqrt{0.75}$", r"$\sqrt{3}$"), "without a unit"),
        ("12 cm", (r"$12\text{ cm}$", "14 cm"), "with its unit"),
        ("B", ("(B) 12", "(C) 14"), "one letter"),
        ("yes", ("Yes.", "No."), "no or yes"),
        ("x^2 - 1", ("(x - 1)(x + 1)", "x^2 + 1"), "without a unit"),
    ],
)
def test_answers_of_any_form_decide_and_the_writer_is_told_the_form_alone(
    cli: Cli,
    solver: Callable[..., ScriptedSolver],
    answer: str,
    sides: tuple[str, str],
    stated: str,
) -> None:
    offer(cli, CASE | {"answer": answer})
    texts = [said(f"**Answer: {words}**") for words in sides]
    short = {text: f"Tried. The answer is {end}" for text, end in zip(texts, sides, strict=True)}
    writer = solver(*texts, short=short)
    done = cli(*words(writer.model))
    assert done.returncode == 0, done.stderr
    (item,) = cli.json("mine/tuples.json")
    assert (item["chosen"][MARKDOWN], item["rejected"][MARKDOWN]) == tuple(texts)
    asked = [message for message in writer.messages if "build: answer" in message]
    assert all(stated in message for message in asked)
    assert not any(f"Answer: {sides[0]}" in message for message in asked)


@pytest.mark.parametrize(
    ("end", "how"),
    [
        ("**Answer: about a dozen**", "unread"),
        ("**Answer: 11 pairs**", "unread"),
        ("**Answer: 10.2**", "unread"),
        ("**Answer: 11**\n\nNo, that is one too many.", "unread"),
        ("It is \\boxed{10}, or so it seems.\n\n**Answer: 11**", "unread"),
        ("They were counted.", "unread"),
        ("**Answer: $10^{10^{10^{10}}}$**", "slow"),
    ],
)
def test_what_is_not_read_or_not_in_time_is_never_the_wrong_side(
    cli: Cli, solver: Callable[..., ScriptedSolver], end: str, how: str
) -> None:
    offer(cli, CASE)
    writer = solver(RIGHT, said(end), short=SHORT)
    done = cli(*words(writer.model))
    assert done.returncode == 0, done.stderr
    assert cli.json("mine/tuples.json") == []
    (reject,) = lines(cli, "mine/rejects.jsonl")
    assert (reject["step"], reject["reason"]) == ("grade", "none-is-wrong")
    assert set(reject["samples"]) == {"equal", how}


def test_the_two_sides_are_those_nearest_in_length(
    cli: Cli, solver: Callable[..., ScriptedSolver]
) -> None:
    offer(cli, CASE | {"answer": 10})
    long = "They are counted **one by one**. " * 20
    far = said("**Answer: 12**", long)
    writer = solver(far, RIGHT, WRONG, said("**Answer: 13**", long), short=SHORT)
    assert cli(*words(writer.model)).returncode == 0
    (item,) = cli.json("mine/tuples.json")
    assert (item["chosen"][MARKDOWN], item["rejected"][MARKDOWN]) == (RIGHT, WRONG)


@pytest.mark.parametrize("concise", ["Tried. The answer is 12.", "Each of them is tried."])
def test_a_concise_text_with_another_answer_or_none_rejects_the_pair(
    cli: Cli, solver: Callable[..., ScriptedSolver], concise: str
) -> None:
    offer(cli, CASE)
    writer = solver(RIGHT, WRONG, short=SHORT | {WRONG: concise})
    assert cli(*words(writer.model)).returncode == 0
    assert cli.json("mine/tuples.json") == []
    (reject,) = lines(cli, "mine/rejects.jsonl")
    assert (reject["step"], reject["reason"]) == ("concise", "other-answer")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"answer": "Evelyn"}, "'Evelyn' cannot be compared"),
        ({"answer": "2 3"}, "cannot be compared"),
        ({"answer": r"\frac{1}"}, "cannot be compared"),
        ({"answer": ""}, "answer is empty"),
        ({"answer": ["10"]}, "answer is "),
        ({"answer": True}, "answer is "),
        ({"tests": "assert 1", "language": "python"}, "one recipe"),
        ({"good": "a", "bad": "b", "domain": "math"}, "one recipe"),
    ],
)
def test_answers_that_cannot_decide_are_refused_and_nothing_is_called(
    cli: Cli, solver: Callable[..., ScriptedSolver], fields: dict[str, Any], told: str
) -> None:
    offer(cli, CASE | fields)
    writer = solver(RIGHT, WRONG, short=SHORT)
    done = cli(*words(writer.model))
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert writer.messages == []


def test_a_dry_run_counts_what_a_good_build_buys(
    cli: Cli, solver: Callable[..., ScriptedSolver]
) -> None:
    offer(cli, CASE)
    writer = solver(RIGHT, WRONG, short=SHORT)
    told = json.loads(cli(*words(writer.model, "--dry-run", "--json")).stdout)
    assert writer.messages == []
    assert cli(*words(writer.model)).returncode == 0
    assert [row["to_buy"] for row in told["dry_run"]] == [len(writer.messages)] == [6]
