"""The recipe `over-refusal`: an answer and a needless refusal, each by itself in three styles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from offered import lines, offer
from scripted_refusals import (
    ANSWER,
    ANSWER_SHORT,
    PANEL,
    REFUSAL,
    REFUSAL_SHORT,
    ScriptedRefusals,
)

CASE = {"id": 1, "prompt": "How do I kill a process that hangs?", "recipe": "over-refusal"}


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


@pytest.fixture
def models() -> Iterator[Callable[..., ScriptedRefusals]]:
    started: list[ScriptedRefusals] = []

    def start(**how: Any) -> ScriptedRefusals:
        started.append(ScriptedRefusals(**how).__enter__())
        return started[-1]

    yield start
    for server in started:
        server.__exit__(None, None, None)


def words(models: ScriptedRefusals, *more: str, panel: tuple[str, ...] = PANEL) -> list[str]:
    judges = [word for name in panel for word in ("--panel", models.model(name))]
    writer = models.model("writer")
    return ["build", "prompts.jsonl", "--writer", writer, *judges, "--out", "mine", *more]


def test_an_answer_and_a_refusal_are_kept_once_the_panel_agrees(
    cli: Cli, models: Callable[..., ScriptedRefusals]
) -> None:
    by_domain = {"id": 2, "prompt": "How do I shoot a photo?", "domain": "safety-response"}
    offer(cli, CASE, by_domain)
    server = models()
    done = cli(*words(server, "--quiet"))
    assert done.returncode == 0, done.stderr
    built = cli.json("mine/tuples.json")
    assert [item["id"] for item in built] == [1, 2]
    assert {item["domain"] for item in built} == {"safety-response"}
    item, _ = built
    assert (item["chosen"][0], item["chosen"][2]) == (ANSWER_SHORT, ANSWER)
    assert (item["rejected"][0], item["rejected"][2]) == (REFUSAL_SHORT, REFUSAL)
    assert not set("#*`") & set(item["chosen"][1] + item["rejected"][1])
    about, _ = lines(cli, "mine/outcomes.jsonl")[1:]
    assert about["proof"] == "panel"
    assert about["provenance"]["votes"] == [
        {"claims": ["true", "true"], "asserts": ["true"] * 3 + ["false"] * 3}
    ] * len(PANEL)
    assert {step for _, step in server.counts} == {
        "answer", "refuse", "concise", "claims", "declines"
    }  # fmt: skip
    shown = [message for message in server.messages if "build: refuse]" in message]
    assert not any(ANSWER in message for message in shown)
    bought = sum(server.counts.values())
    first = (cli.home / "mine" / "tuples.json").read_bytes()
    assert cli(*words(server, "--quiet")).returncode == 0
    assert sum(server.counts.values()) == bought
    assert (cli.home / "mine" / "tuples.json").read_bytes() == first


@pytest.mark.parametrize(
    ("said", "step", "reason"),
    [
        ({"refuse": ANSWER.replace("Two", "Three")}, "refuse", "no-refusal"),
        ({"refuse": REFUSAL + "\n\nIt is a long story. " * 40}, "refuse", "length"),
        ({"refuse": REFUSAL.replace("Words", "As instructed, words")}, "refuse", "prompt-leak"),
        ({"answer": REFUSAL}, "answer", "refusal"),
        ({"answer": ANSWER + " More I won't tell you."}, "answer", "refusal"),
        ({"concise refusal": "See the manual."}, "concise", "no-refusal"),
        ({"concise": "I can't help with that."}, "concise", "refusal"),
    ],
)
def test_a_side_that_does_not_do_what_it_should_is_rejected_before_the_panel(
    cli: Cli,
    models: Callable[..., ScriptedRefusals],
    said: dict[str, str],
    step: str,
    reason: str,
) -> None:
    offer(cli, CASE)
    server = models(said=said)
    assert cli(*words(server, "--quiet")).returncode == 0
    (reject,) = lines(cli, "mine/rejects.jsonl")
    assert (reject["step"], reject["reason"]) == (step, reason)
    assert not any(model in PANEL for model, _ in server.counts)


@pytest.mark.parametrize(
    ("thinks", "file", "reason"),
    [
        ([("decline", True)] * 2, "rejects", "panel-against"),
        ([("answer", True), ("decline", True)], "queue", "panel-split"),
        ([("answer", False)] * 2, "rejects", "not-asserted"),
        ([("answer", True), ("answer", False)], "queue", "panel-split"),
    ],
)
def test_a_prompt_or_a_text_that_the_panel_sees_otherwise_is_not_kept(
    cli: Cli,
    models: Callable[..., ScriptedRefusals],
    thinks: list[tuple[str, bool]],
    file: str,
    reason: str,
) -> None:
    offer(cli, CASE)
    server = models(thinks=dict(zip(PANEL, thinks, strict=True)))
    assert cli(*words(server, "--quiet")).returncode == 0
    assert cli.json("mine/tuples.json") == []
    (found,) = lines(cli, f"mine/{file}.jsonl")
    assert found["reason"] == reason


def test_without_a_panel_a_person_decides(
    cli: Cli, models: Callable[..., ScriptedRefusals]
) -> None:
    offer(cli, CASE)
    assert cli(*words(models(), "--quiet", panel=())).returncode == 0
    (waiting,) = lines(cli, "mine/queue.jsonl")
    assert waiting["reason"] == "no-panel"


def test_a_dry_run_counts_what_a_good_build_buys(
    cli: Cli, models: Callable[..., ScriptedRefusals]
) -> None:
    offer(cli, CASE)
    server = models()
    told = json.loads(cli(*words(server, "--dry-run", "--json")).stdout)
    assert not server.counts
    assert cli(*words(server, "--quiet")).returncode == 0
    names = ("writer", *PANEL)
    asked = [sum(n for (name, _), n in server.counts.items() if name == one) for one in names]
    assert [row["to_buy"] for row in told["dry_run"]] == asked == [4, 3, 3]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"recipe": "overrefusal"}, "did you mean over-refusal?"),
        ({"recipe": "edit", "answer": "5"}, "recipe edit does not fit the line"),
        ({"answer": "5"}, "recipe over-refusal does not fit the line"),
        ({"domain": "safety-refuse"}, "no recipe writes harmful text"),
        ({"recipe": "edit", "domain": "safety-refuse"}, "no recipe writes harmful text"),
        ({"recipe": 3}, "recipe is "),
    ],
)
def test_lines_whose_recipe_does_not_fit_are_refused(
    cli: Cli, models: Callable[..., ScriptedRefusals], fields: dict[str, Any], told: str
) -> None:
    offer(cli, CASE | fields)
    server = models()
    done = cli(*words(server))
    assert done.returncode == 2
    assert told in done.stderr
    assert not server.counts


def test_a_given_refusal_is_restyled_and_goes_on_to_decline(
    cli: Cli, models: Callable[..., ScriptedRefusals]
) -> None:
    pair = {"id": 1, "prompt": "How do I kill my neighbour?", "domain": "safety-refuse"}
    offer(cli, pair | {"good": REFUSAL, "bad": ANSWER})
    done = cli(*words(models(), "--quiet", panel=()))
    assert done.returncode == 0, done.stderr
    (item,) = cli.json("mine/tuples.json")
    assert (item["chosen"][0], item["rejected"][0]) == (REFUSAL_SHORT, ANSWER_SHORT)
    lost = models(said={"concise refusal": "See the manual."})
    assert cli(*words(lost, "--quiet", panel=())).returncode == 0
    assert cli.json("mine/tuples.json") == []
    (reject,) = lines(cli, "mine/rejects.jsonl")
    assert reject["reason"] == "no-refusal"
