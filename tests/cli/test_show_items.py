"""`rmjudge show` on other sets than RM-Bench: an item, its responses, scores and words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from served import ModelServer

PAIRS: list[dict[str, Any]] = [
    {"id": "p1", "prompt": "Name a prime.", "chosen": "Seven is one.", "rejected": "Eight is one."},
    {
        "id": "p2",
        "messages": [
            {"role": "system", "content": "Be \x1b[31mkind."},
            {"role": "user", "content": "Hi"},
        ],
        "chosen": "Hello!",
        "rejected": "No.",
    },
]
BEST: list[dict[str, Any]] = [
    {
        "id": n,
        "subset": "Math",
        "num_correct": 1,
        "total_completions": 4,
        "prompt": f"Two and {n}?",
        "chosen": [f"It is {n + 2}."],
        "rejected": [f"It is {n + k}." for k in (3, 4, 5)],
    }
    for n in range(12)
]


def written(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def shown(cli: Cli, *words: str) -> str:
    done = cli("show", *words, COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def line_of(home: Path, folder: str, id: object) -> dict[str, Any]:
    lines = map(json.loads, (home / folder / "results.jsonl").read_text().splitlines())
    return next(one for one in lines if one["id"] == id)


@pytest.fixture
def pairs(cli: Cli, home: Path, server: ModelServer) -> Cli:
    written(home / "mine.jsonl", PAIRS)
    models = ("j=" + server.judge, "baseline/length")
    done = cli("run", *models, "--data", "mine.jsonl", "--order", "both", "--out", "r")
    assert done.returncode in (0, 1), done.stderr
    return cli


def test_an_item_is_shown_with_its_texts_and_what_each_scorer_made_of_it(pairs: Cli) -> None:
    out = shown(pairs, "p1", "r")
    places = [out.index(text) for text in ("Name a prime.", "#1 chosen", "#2 rejected")]
    assert places == sorted(places)
    assert "{+Seven+} is one." in out
    assert "[-Eight-] is one." in out
    votes = line_of(pairs.home, "r/j", "p1")["pairs"][0][2]
    told = ", ".join("no verdict" if vote == "no-verdict" else f"{vote:.3g}" for vote in votes)
    assert f"#1 better than #2: {told}" in out
    assert "baseline/length  score 0" in out


def test_a_conversation_is_shown_turn_by_turn_and_nothing_in_it_is_obeyed(pairs: Cli) -> None:
    out = shown(pairs, "p2", "r")
    assert "System\n  Be [31mkind." in out.replace(" \n", "\n")
    assert out.index("System") < out.index("User") < out.index("#1 chosen")
    assert "\x1b" not in out


def test_a_judges_words_are_those_of_the_cache_with_what_was_shown_first(pairs: Cli) -> None:
    told = json.loads(pairs("show", "p1", "r", "--replies", "--json").stdout)
    (item,) = told["items"]
    judge = next(one for one in item["scorers"] if one["scorer"] == "j")
    assert sorted(reply["shown"] for reply in judge["replies"]) == [[0, 1], [1, 0]]
    out = shown(pairs, "p1", "r", "--replies")
    for reply in judge["replies"]:
        first, second = (("#1 chosen", "#2 rejected")[place] for place in reply["shown"])
        assert f"j: A {first}, B {second}" in out
        assert reply["text"].split()[0] in out
    # What is credited to the chosen is what the reply says of the place it was shown at.
    votes = judge["pairs"][0][2]
    said = [
        "no-verdict" if first is None else first if reply["shown"] == [0, 1] else 1 - first
        for reply in judge["replies"]
        for first in [reply["answer"].get("first")]
    ]
    assert said == votes


def test_a_choice_is_shown_with_its_letters(cli: Cli, home: Path, server: ModelServer) -> None:
    written(home / "rb2.jsonl", BEST)
    words = ("--method", "choice", "--data", "rb2.jsonl", "--out", "r")
    assert cli("run", server.judge, *words).returncode == 0
    for row in BEST:
        told = json.loads(cli("show", f"Math/{row['id']}", "r", "--replies", "--json").stdout)
        (scorer,) = told["items"][0]["scorers"]
        (reply,) = scorer["replies"]
        assert sorted(reply["shown"]) == [0, 1, 2, 3]
        if "choice" in reply["answer"]:
            place = reply["shown"][reply["answer"]["choice"]]
            assert scorer["choices"] == [[place]]
            letter = "ABCD"[reply["answer"]["choice"]]
            named = f"#{place + 1} {'rejected' if place else 'chosen'}"
            out = shown(cli, f"Math/{row['id']}", "r", "--replies")
            assert f"{letter} is the best: {named}" in out
            assert f"chose {named}" in out


def test_rm_bench_and_another_set_in_one_folder_are_both_searched(cli: Cli, home: Path) -> None:
    written(home / "mine.jsonl", PAIRS)
    data = ("--data", "sample", "--data", "mine.jsonl")
    assert cli("run", "baseline/length", *data, "--out", "r").returncode == 0
    assert "Preference pairs" in shown(cli, "p1", "r")
    tuple_id = json.loads((home / "r/rm-bench/results.jsonl").read_text().splitlines()[0])
    assert "Rewards" in shown(cli, f"{tuple_id['domain']}/{tuple_id['id']}", "r")
    refused = cli("show", "nothing", "r")
    assert (refused.returncode, refused.stdout) == (2, "")
    refused = cli("show", "p3", "r/pairs")
    assert refused.returncode == 2
    assert "no item of these runs is called p3; there are 2, such as p1, p2" in refused.stderr


def test_an_item_whose_texts_are_gone_is_shown_without_them(cli: Cli, home: Path) -> None:
    written(home / "mine.jsonl", PAIRS)
    assert cli("run", "baseline/length", "--data", "mine.jsonl", "--out", "r").returncode == 0
    (home / "mine.jsonl").rename(home / "moved.jsonl")
    done = cli("show", "p1", "r")
    assert done.returncode == 0, done.stderr
    assert "Its texts were not found." in done.stdout
    assert "say where its data is now with --data SOURCE" in " ".join(done.stderr.split())
    assert "Name a prime." in shown(cli, "p1", "r", "--data", "moved.jsonl")
