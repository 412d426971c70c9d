"""`rmjudge show`: one tuple in the terminal, legible at 80 columns, nothing obeyed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.dataset import BenchTuple, load
from rmjudge.text import cell_width

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

ITEM: BenchTuple = load(["sample"]).select(("chat",), 1).tuples[0]


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with runs/o: a judge, a reward model and a baseline."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    cli("run", server.judge, server.reward, "baseline/length", "--limit", "1", "--out", "runs/o")
    return cli


def shown(cli: Cli, *words: str, **variables: str) -> str:
    done = cli("show", *words, "runs/o", **{"COLUMNS": "80", **variables})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_prompt_and_six_responses_are_shown_in_order(runs: Cli) -> None:
    out = squeezed(shown(runs, ITEM.name))
    places = [out.index(squeezed(text)) for text in (ITEM.prompt, *ITEM.chosen, *ITEM.rejected)]
    assert places == sorted(places)
    assert out.startswith("─")
    assert f"{ITEM.name} {ITEM.subset}" in out


def test_rewards_and_credits_are_those_of_the_files(runs: Cli) -> None:
    out = shown(runs, str(ITEM.id))
    lengths = [str(len(text)) for text in (*ITEM.chosen, *ITEM.rejected)]
    (line,) = [line for line in out.splitlines() if line.startswith("baseline/length")]
    assert line.split()[1:7] == lengths
    first = (runs.home / "runs/o/openai-judge/results.jsonl").read_text().splitlines()[0]
    head, _, rest = out.partition("openai/judge  credit of the chosen")
    assert head
    rows = [line.split() for line in rest.splitlines()[2:5]]
    assert rows == [
        [style, *(f"{value:g}" for value in row)]
        for style, row in zip(
            ("concise", "detailed", "markdown"), json.loads(first)["matrix"], strict=True
        )
    ]


def test_the_judges_words_are_shown_when_asked_for(runs: Cli) -> None:
    assert "Both were compared." not in shown(runs, ITEM.name)
    out = shown(runs, ITEM.name, "--replies")
    assert out.count("Both were compared.") == 9
    assert out.count("is better: the ") + out.count("a tie\n") == 9


@pytest.mark.parametrize("columns", ["80", "60"])
def test_no_line_is_wider_than_the_terminal(runs: Cli, columns: str) -> None:
    out = shown(runs, ITEM.name, "--replies", COLUMNS=columns)
    assert max(map(cell_width, out.splitlines())) <= int(columns)


def test_json_holds_texts_scores_and_replies(runs: Cli) -> None:
    found = json.loads(shown(runs, ITEM.name, "--json", "--replies"))
    (item,) = found["tuples"]
    assert (item["prompt"], tuple(item["chosen"])) == (ITEM.prompt, ITEM.chosen)
    judge, rewards, _ = item["scorers"]
    assert len(judge["replies"]) == 9
    assert rewards["replies"] == []
    assert len(rewards["score_chosen"]) == 3
    assert "replies" not in json.loads(shown(runs, ITEM.name, "--json"))["tuples"][0]["scorers"][0]


def unknown(cli: Cli, name: str) -> str:
    done = cli("show", name, "runs/o")
    assert (done.returncode, done.stdout) == (2, "")
    start = f"rmjudge: no tuple of these runs is called {name}; "
    assert done.stderr.startswith(start)
    said, _, listed = done.stderr.removeprefix(start).partition(". ")
    assert listed.startswith("Each line of runs/o/")
    assert "results.jsonl begins with an id and its domain" in listed
    return said


def test_a_tuple_that_is_not_there_is_told_with_those_like_it(runs: Cli) -> None:
    near = f"{ITEM.id}9"
    assert unknown(runs, f"{ITEM.domain}/{near}") == f"the closest is {ITEM.name}"
    assert unknown(runs, near).startswith(f"the closest are {ITEM.name}, ")


def test_an_id_in_another_domain_is_told_with_its_own(runs: Cli) -> None:
    assert unknown(runs, f"maths/{ITEM.id}") == f"there is {ITEM.name}"


def test_a_name_like_none_is_told_with_some_that_there_are(runs: Cli) -> None:
    assert unknown(runs, "chat/none").startswith("there are 1 of chat, such as ")
    assert unknown(runs, "none").startswith("there are 4, such as chat/")


def hostile(cli: Cli, text: str) -> None:
    record: dict[str, Any] = {
        "id": 1,
        "domain": "chat",
        "prompt": text,
        "chosen": [f"{text} {k}" for k in range(3)],
        "rejected": [f"{text} {k}" for k in range(3, 6)],
    }
    (cli.home / "data.json").write_text(json.dumps([record]))
    done = cli("run", "baseline/length", "--data", "data.json", "--out", "runs/o")
    assert done.returncode == 0


def test_controls_and_markup_in_texts_are_not_obeyed(cli: Cli) -> None:
    hostile(cli, "\x1b[31mred [bold]x[/] [/INST] \u202eover\u2066 \x9b2J :smile:")
    out = shown(cli, "1")
    assert not {"\x1b", "\x9b", "\u202e", "\u2066"} & set(out)
    for words in ("[31mred", "[bold]x[/]", "[/INST]", ":smile:"):
        assert words in out


def test_a_terminal_without_utf_8_gets_ascii(cli: Cli) -> None:
    hostile(cli, "caf\u00e9 \u6a21")
    out = shown(cli, "1", LANG="C", PYTHONIOENCODING="ascii")
    assert out.isascii()
    assert "caf? ?" in out


def test_texts_that_have_moved_are_missed_and_found_again(cli: Cli) -> None:
    hostile(cli, "plain")
    (cli.home / "data.json").rename(cli.home / "moved.json")
    done = cli("show", "1", "runs/o")
    assert done.returncode == 0
    assert "Its texts were not found." in done.stdout
    assert "--data SOURCE" in done.stderr
    assert "plain 3" in shown(cli, "1", "--data", "moved.json")


def test_a_scorer_that_has_not_seen_the_tuple_is_named(cli: Cli) -> None:
    cli("run", "baseline/length", "--limit", "2", "--domain", "chat", "--out", "runs/o/two")
    cli("run", "baseline/random", "--limit", "1", "--domain", "chat", "--out", "runs/o/one")
    second = load(["sample"]).select(("chat",), 2).tuples[1]
    assert "Not in the run of baseline/random." in shown(cli, second.name)
