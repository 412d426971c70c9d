"""`rmjudge data check`: what a data set holds, or everything that is wrong with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command import Cli

TUPLE = {"id": 1, "prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"]}


def test_the_sample_is_valid_and_summarised(cli: Cli) -> None:
    done = cli("data", "check", "sample")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("40 tuples, all valid\n")
    assert all(domain in done.stdout for domain in ("chat", "math", "code", "safety"))


def test_the_summary_as_json_is_one_object(cli: Cli) -> None:
    done = cli("data", "check", "sample", "--json")
    summary = json.loads(done.stdout)
    assert summary["tuples"] == sum(part["tuples"] for part in summary["subsets"]) == 40


def test_several_sources_are_checked_together(cli: Cli) -> None:
    (cli.home / "chat.json").write_text(json.dumps([TUPLE]))
    done = cli("data", "check", "sample", "chat.json", "--json")
    assert json.loads(done.stdout)["tuples"] == 41


def test_every_problem_is_told_with_file_and_place(cli: Cli) -> None:
    (cli.home / "chat.json").write_text(json.dumps([TUPLE, {**TUPLE, "id": 2, "prompt": None}]))
    (cli.home / "math.jsonl").write_text('{"id": 1}\n{broken\n')
    done = cli("data", "check", "chat.json", "math.jsonl", "nowhere", "--json")

    assert (done.returncode, json.loads(done.stdout)["exit_code"]) == (2, 2)
    told = done.stderr.splitlines()
    assert told[0] == f"rmjudge: {len(told) - 1} problems in the data; nothing was called:"
    places = [line.split()[0].rstrip(":") for line in told[1:]]
    assert set(places) == {"chat.json[1]", "math.jsonl:1", "math.jsonl:2", "nowhere"}


def test_hostile_text_in_data_reaches_no_terminal_raw(cli: Cli) -> None:
    evil = "\x1b]0;pwned\x07\x1b[31m[/INST]\u202e"
    good = {**TUPLE, "subset": evil}
    (cli.home / "chat.jsonl").write_text(json.dumps(good) + "\n" + json.dumps({**good, evil: 1}))
    for words in (("chat.jsonl",), ("sample", evil.replace("/", "-"))):
        done = cli("data", "check", *words)
        assert "\x1b" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_names_that_the_terminal_cannot_show_do_no_harm(cli: Cli) -> None:
    (cli.home / "chat.jsonl").write_text(json.dumps({**TUPLE, "subset": "é-日本"}))
    done = cli("data", "check", "chat.jsonl", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr


def test_what_deserves_a_look_is_told_and_listed(cli: Cli) -> None:

    tuples = [
        {
            "domain": "chat",
            "prompt": f"What is {n} and {n}?",
            "chosen": [f"{2 * n}", f"It makes {2 * n}, and", f"**{2 * n}**"],
            "rejected": ["Sorry, no.", f"Let's break it down: {2 * n + 1}.", f"**{2 * n + 1}**"],
            "system": "You are kind.",
        }
        for n in range(20)
    ]
    (cli.home / "mine.json").write_text(json.dumps(tuples))
    told = " ".join(cli("data", "check", "mine.json").stdout.split())
    assert "the field system is not used (20 tuples have it)" in told
    assert "as cut texts do, in 20 of 20 tuples (chosen in 20, rejected in 0)" in told
    assert (
        "chat: rejected concise is canned in 20 tuples (1 text, such as 'Sorry, no.' in 20)" in told
    )
    assert "The wording gives the side away" in told

    found = json.loads(cli("data", "check", "mine.json", "--json").stdout)
    assert found["cut_texts"][0] == {"tuple": "chat/1", "field": "chosen detailed"}
    assert len(found["canned_texts"][0]["texts"][0]["tuples"]) == 20
    assert found["words"]["chat"]["concise"] == {
        "share": 1.0,
        "interval": found["words"]["chat"]["concise"]["interval"],
        "telling": True,
    }
    assert found["longer_wins"]["chat"]["normal"] == 0.0
