"""`rmjudge build` against scripted models: what is kept, why the rest is not, and resuming."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Cli
from offered import lines
from scripted_builds import ENDS, PANEL, ScriptedModels, kind_of


@pytest.fixture
def models() -> Iterator[ScriptedModels]:
    with ScriptedModels() as server:
        yield server


@pytest.fixture
def cli(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def offer(cli: Cli, prompts: int) -> None:
    lines = [{"id": k, "prompt": f"What is to be known of Land{k}?"} for k in range(prompts)]
    (cli.home / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def words(models: ScriptedModels, out: str = "mine", panel: tuple[str, ...] = PANEL) -> list[str]:
    judges = [word for name in panel for word in ("--panel", models.model(name))]
    writer = models.model("writer")
    return ["build", "prompts.jsonl", "--writer", writer, *judges, "--out", out, "--quiet"]


def test_of_a_hundred_prompts_the_good_are_kept_and_each_other_has_its_reason(
    cli: Cli, models: ScriptedModels
) -> None:
    offer(cli, 100)
    done = cli(*words(models))
    assert done.returncode == 0, done.stderr
    kept = [item["id"] for item in cli.json("mine/tuples.json")]
    assert len(kept) >= 60
    assert kept == [k for k in range(100) if kind_of(k) == "good"]
    ends = {item["id"]: ("rejected", item["reason"]) for item in lines(cli, "mine/rejects.jsonl")}
    ends |= {item["id"]: ("queued", item["reason"]) for item in lines(cli, "mine/queue.jsonl")}
    assert ends == {k: ENDS[kind_of(k)] for k in range(100) if kind_of(k) != "good"}
    assert {kind_of(k) for k in ends} == set(ENDS)
    assert {item["proof"] for item in lines(cli, "mine/provenance.jsonl")} == {"panel"}


def test_the_sides_of_an_edit_differ_by_the_edit_alone(cli: Cli, models: ScriptedModels) -> None:
    offer(cli, 2)
    assert cli(*words(models)).returncode == 0
    (item,) = cli.json("mine/tuples.json")
    (about,) = lines(cli, "mine/provenance.jsonl")
    (edit,) = about["edits"]
    for chosen, rejected in zip(item["chosen"], item["rejected"], strict=True):
        assert rejected == chosen.replace(edit["find"], edit["replace"]) != chosen


def test_a_dry_run_calls_nothing_and_counts_what_a_good_build_buys(
    cli: Cli, models: ScriptedModels
) -> None:
    offer(cli, 2)
    (cli.home / "prompts.jsonl").write_text('{"id": 1, "prompt": "What of Land1?"}\n')
    told = json.loads(cli(*words(models), "--dry-run", "--json").stdout)
    assert not models.counts
    assert cli(*words(models)).returncode == 0
    asked = Counter(json.loads(body)["model"] for body in models.counts)
    assert {row["model"]: row["to_buy"] for row in told["dry_run"]} == {
        f"openai/{name}": count for name, count in asked.items()
    }


def test_bad_lines_are_all_told_and_nothing_is_called(cli: Cli, models: ScriptedModels) -> None:
    bad = ['{"id": 1}', '{"id": 1, "prompt": ""}', '{"id": 2, "prompt": "x", "good": "y"}', "{"]
    (cli.home / "prompts.jsonl").write_text("\n".join(bad))
    done = cli(*words(models))
    assert done.returncode == 2
    for place in ("prompts.jsonl:1", "prompts.jsonl:2", "prompts.jsonl:3", "prompts.jsonl:4"):
        assert place in done.stderr
    assert not models.counts
    assert not (cli.home / "mine").exists()


def test_a_model_that_writes_no_texts_is_refused(cli: Cli) -> None:
    offer(cli, 1)
    done = cli("build", "prompts.jsonl", "--writer", "baseline/length", "--out", "mine")
    assert done.returncode == 2
    assert "baseline/length writes no texts" in done.stderr


def test_a_build_without_its_server_goes_on_once_it_is_there(
    cli: Cli, models: ScriptedModels
) -> None:
    offer(cli, 2)
    gone = [word.replace(str(models.server_port), "9") for word in words(models)]
    broken_off = cli(*gone, "--outage", "1")
    assert broken_off.returncode == 3
    assert cli.json("mine/build.json")["open"] == [0, 1]
    assert cli(*words(models)).returncode == 0
    assert [item["id"] for item in cli.json("mine/tuples.json")] == [1]


def test_given_pairs_are_styled_each_by_itself(cli: Cli, models: ScriptedModels) -> None:
    line = {
        "id": "a",
        "prompt": "What of Land1?",
        "domain": "support",
        "good": "# Land1\n\n**The first** text is right and long enough.\n\n- It says $a_b$ is so, "
        "and more of it, to the end of this last and longest line.",
        "bad": "# Land1\n\n**The other** text is not right and as long.\n\n- It says $a_c$ is so, "
        "and more of it, to the end of this last and longest line.",
    }
    (cli.home / "prompts.jsonl").write_text(json.dumps(line))
    done = cli(*words(models, panel=()))
    assert done.returncode == 0, done.stderr
    shown = [json.loads(body)["messages"][-1]["content"] for body in models.counts]
    assert [text for text in shown if "The first" in text and "The other" in text] == []
    (item,) = cli.json("mine/tuples.json")
    assert (item["domain"], item["chosen"][2]) == ("support", line["good"])
    assert item["chosen"][1] == (
        "Land1\nThe first text is right and long enough.\nIt says $a_b$ is so, and more of it, to "
        "the end of this last and longest line."
    )
    assert [item["proof"] for item in lines(cli, "mine/provenance.jsonl")] == ["given"]


def test_without_a_panel_a_person_decides(cli: Cli, models: ScriptedModels) -> None:
    offer(cli, 2)
    assert cli(*words(models, panel=())).returncode == 0
    assert cli.json("mine/tuples.json") == []
    (waiting,) = [item["id"] for item in lines(cli, "mine/queue.jsonl")]
    with cli.start("review", "mine", "--reviewer", "ann") as process:
        process.communicate()  # the end of the input decides nothing
    assert cli.json("mine/tuples.json") == []
    done = subprocess.run(
        [cli.command, "review", "mine", "--reviewer", "ann"],
        input="y\n",
        text=True,
        capture_output=True,
        cwd=cli.home,
        env=cli.environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [item["id"] for item in cli.json("mine/tuples.json")] == [waiting]
    assert [item["proof"] for item in lines(cli, "mine/provenance.jsonl")] == ["person"]
    # The build again leaves the decision in force.
    assert cli(*words(models, panel=())).returncode == 0
    assert [item["id"] for item in cli.json("mine/tuples.json")] == [waiting]


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("", "prompt is empty"),
        (" \n", "prompt is blank"),
        ("\ud800x", "prompt holds half a character"),
        (5, "prompt is a number"),
    ],
)
def test_what_is_no_prompt_is_told_as_what_it_is(cli: Cli, prompt: object, said: str) -> None:
    (cli.home / "prompts.jsonl").write_text(json.dumps({"id": 1, "prompt": prompt}))
    done = cli("build", "prompts.jsonl", "--writer", "openai/w@http://127.0.0.1:9", "--out", "mine")
    assert done.returncode == 2
    assert f"prompts.jsonl:1: {said}" in done.stderr


def test_a_template_of_no_step_is_refused(cli: Cli, models: ScriptedModels) -> None:
    offer(cli, 1)
    (cli.home / "steps").mkdir()
    for name in ("answer", "cocnise"):
        (cli.home / "steps" / f"{name}.jinja").write_text("{{ prompt }}")
    done = cli(*words(models), "--recipe-dir", "steps")
    assert done.returncode == 2
    assert "steps/cocnise.jinja is of no step; did you mean concise?" in done.stderr
    assert not models.counts
