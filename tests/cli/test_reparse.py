"""`rmjudge reparse`: replies read again for free, and what that would change."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.cache import AnswerCache, inspect
from rmjudge.cache.keys import scorer_key
from rmjudge.calls import Reply, Unscored, Verdict
from rmjudge.runs.stored import read_runs

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

Change = Callable[[int, Reply], Reply]
KEPT = ("--cache-dir", "kept")


def judge(server: ModelServer, *words: str) -> tuple[str, ...]:
    return ("run", server.judge, "--limit", "1", "--domain", "code", *KEPT, *words)


def store_otherwise(cli: Cli, run: str, change: Change) -> int:
    """Keep the replies of a run as an earlier parser would have: texts as they are."""
    (found,) = read_runs([cli.home / run])
    planned = found.asked
    stored = inspect.replies(planned.cache_folder, planned.identity, planned.calls)
    changed = [(key, change(number, stored[key])) for number, key in enumerate(planned.calls)]
    with AnswerCache(planned.cache_folder) as cache:
        asyncio.run(cache.commit(planned.scorer_key, changed))
    return len(changed)


def unread(number: int, reply: Reply) -> Reply:
    """An earlier parser found no verdict in every third reply."""
    return replace(reply, answer=Unscored("unparsed", "no verdict")) if number % 3 == 0 else reply


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def rows(cache: Path) -> list[Any]:
    with closing(sqlite3.connect(cache / "cache.db")) as database:
        return database.execute("SELECT key, value, store_time FROM Cache ORDER BY key").fetchall()


@pytest.fixture
def half_read(cli: Cli, server: ModelServer) -> Cli:
    """`right` is a judge's run; `o` the same of replies that were not all understood."""
    cli(*judge(server), "--out", "right")
    assert store_otherwise(cli, "right", unread) == 9
    assert cli(*judge(server), "--out", "o").returncode == 1
    server.reset()
    return cli


def changes(cli: Cli, *words: str) -> dict[str, Any]:
    done = cli("reparse", *words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)["reparse"]
    return dict(found)


def test_what_was_unparsed_and_is_not_any_more_is_counted(half_read: Cli) -> None:
    found = changes(half_read, "o")
    assert (found["replies"], found["changed_calls"], found["missing"]) == (9, 3, 0)
    now = [one for one in found["changes"] if one["before"] == "unparsed"]
    assert sum(one["calls"] for one in now) == 3
    assert {one["after"] for one in now} <= {"first better", "second better", "tie"}
    assert found["changed_tuples"] == [
        f"code/{json.loads(half_read.results('o')['results.jsonl'])['id']}"
    ]


def test_the_accuracies_are_told_before_and_after(half_read: Cli) -> None:
    found = changes(half_read, "o")
    for when, run in (("before", "o"), ("after", "right")):
        metrics = half_read.json(f"{run}/metrics.json")
        for name in ("easy", "normal", "hard", "average", "unscored_cells"):
            assert found[when][name] == metrics[name]
    assert found["before"]["unscored_cells"] == 3


def test_nothing_is_sent_and_nothing_is_written(half_read: Cli, server: ModelServer) -> None:
    before, kept = files(half_read.home / "o"), rows(half_read.home / "kept")
    done = half_read("reparse", "o")
    assert done.returncode == 0
    assert "nothing was written; --write keeps it" in done.stdout
    assert files(half_read.home / "o") == before
    assert rows(half_read.home / "kept") == kept
    assert server.stats["received"] == 0


def test_write_makes_the_files_that_the_command_would_make_now(half_read: Cli) -> None:
    done = half_read("reparse", "o", "--write")
    assert done.returncode == 0
    assert half_read.results("o") == half_read.results("right")
    run = half_read.json("o/run.json")
    assert (run["statuses"], run["calls"]["unscored"]) == ({}, 0)
    assert not any("unparsed" in note for note in run["notes"])
    assert run["reparsed"]["parser"].endswith("verdict/4")
    assert run["options"] == half_read.json("right/run.json")["options"]


def test_after_writing_nothing_is_left_to_change(half_read: Cli) -> None:
    half_read("reparse", "o", "--write")
    written = files(half_read.home / "o")
    found = changes(half_read, "o", "--write")
    assert (found["changed_tuples"], found["before"]) == ([], found["after"])
    assert files(half_read.home / "o") == written


def test_the_table_says_it_in_words(half_read: Cli) -> None:
    text = " ".join(half_read("reparse", "o").stdout.split())
    assert "9 stored replies read again (openai-chat/4+verdict/4), nothing was sent" in text
    assert "calls: unparsed -> " in text
    assert "1 tuples change: code/" in text
    assert "Before" in text
    assert "After" in text


def test_a_run_that_reads_as_before_says_so(cli: Cli, server: ModelServer) -> None:
    cli(*judge(server), "--out", "o")
    done = cli("reparse", "o")
    assert (done.returncode, done.stderr) == (0, "")
    assert "every reply reads as it is stored" in done.stdout
    assert "no cell of the run changes" in done.stdout


def test_a_verdict_that_was_read_the_other_way_is_a_change(cli: Cli, server: ModelServer) -> None:
    cli(*judge(server), "--out", "right")

    def turned(_number: int, reply: Reply) -> Reply:
        assert isinstance(reply.answer, Verdict)
        return replace(reply, answer=Verdict(1.0 - reply.answer.first))

    store_otherwise(cli, "right", turned)
    cli(*judge(server), "--out", "o")
    found = changes(cli, "o", "--write")
    known = {(one["before"], one["after"]) for one in found["changes"]}
    assert known <= {
        ("first better", "second better"),
        ("second better", "first better"),
        ("tie", "tie"),
    }
    assert cli.results("o") == cli.results("right")


def test_calls_without_a_reply_stay_unscored(cli: Cli, server: ModelServer) -> None:
    server.control(faults=["status:400"], rate=0.5, seed=4)
    # One at a time: where the refusals happen to come first, the run stops, as it should.
    assert cli(*judge(server, "--concurrency", "1"), "--out", "o").returncode == 1
    before = files(cli.home / "o")
    failed = cli.json("o/run.json")["calls"]["failed"]
    found = changes(cli, "o", "--write")
    assert 0 < failed < 9
    assert (found["missing"], found["replies"], found["changed_calls"]) == (failed, 9 - failed, 0)
    assert files(cli.home / "o") == before


@pytest.mark.parametrize("order", ["both", "adaptive"])
def test_both_orders_are_read_again(cli: Cli, server: ModelServer, order: str) -> None:
    cli(*judge(server, "--order", order), "--out", "right")
    store_otherwise(cli, "right", lambda _, reply: replace(reply, answer=Verdict(0.5)))
    cli(*judge(server, "--order", order), "--out", "o")
    found = changes(cli, "o", "--write")
    assert found["replies"] == 18
    assert cli.results("o") == cli.results("right")


def test_rewards_are_read_again(cli: Cli, server: ModelServer) -> None:
    cli("run", server.reward, "--limit", "1", "--domain", "code", *KEPT, "--out", "right")
    store_otherwise(cli, "right", lambda _, reply: replace(reply, answer=Unscored("not-a-number")))
    cli("run", server.reward, "--limit", "1", "--domain", "code", *KEPT, "--out", "o")
    found = changes(cli, "o", "--write")
    assert found["changes"] == [
        {"before": "not-a-number", "after": "scored", "calls": found["replies"]}
    ]
    assert cli.results("o") == cli.results("right")


def test_no_key_and_no_template_file_are_needed(cli: Cli, server: ModelServer) -> None:
    """The template's text is in the identity, and so is what its verdicts look like."""
    (cli.home / "t.jinja").write_text(
        "{{ prompt }}\n{{ response_a }}\n{{ response_b }}\nSay \\boxed{A>B} or the like."
    )
    done = cli(*judge(server, "--template", "t.jinja"), "--out", "o", OPENAI_API_KEY="secret")
    assert done.returncode == 0
    (cli.home / "t.jinja").unlink()
    found = changes(cli, "o")
    assert (found["replies"], found["changed_calls"]) == (9, 0)
    assert found["parser"].endswith("any-verdict/4")


def test_a_scorer_that_keeps_no_replies_has_nothing_to_read(cli: Cli) -> None:
    cli("run", "baseline/length", "--limit", "1", "--out", "o")
    done = cli("reparse", "o")
    assert (done.returncode, done.stderr) == (0, "")
    assert "leaves no replies to read again" in done.stdout


def test_a_run_of_several_scorers_is_read_as_a_whole(cli: Cli, server: ModelServer) -> None:
    words = ("--limit", "1", "--domain", "code", *KEPT, "--out", "o")
    cli("run", server.judge, server.reward, "baseline/length", *words)
    done = cli("reparse", "o", "--json")
    found = json.loads(done.stdout)["reparse"]
    assert [one["scorer"] for one in found] == ["openai/judge", "vllm/rm", "baseline/length"]


def test_a_stored_reply_that_is_no_reply_of_this_version_is_unparsed(
    cli: Cli, server: ModelServer
) -> None:
    cli(*judge(server), "--out", "o")
    store_otherwise(cli, "o", lambda _, reply: replace(reply, raw='{"choices": 7}'))
    found = changes(cli, "o")
    assert {one["after"] for one in found["changes"]} <= {"unparsed", "empty"}
    assert found["changed_calls"] == 9


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nowhere",), "nowhere: no such folder"),
        (("o", "--cache-dir", "nowhere"), "nowhere holds no cache"),
        (("o", "--cache-dir", "other"), "holds no answer of openai/judge; see --cache-dir"),
    ],
)
def test_a_wrong_folder_is_told(
    cli: Cli, server: ModelServer, words: tuple[str, ...], told: str
) -> None:
    cli(*judge(server), "--out", "o")
    cli("run", "baseline/length", "--limit", "1", "--cache-dir", "other", "--out", "length")
    done = cli("reparse", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr


def test_data_that_has_changed_since_is_told(cli: Cli) -> None:
    item = {"id": 1, "prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"]}
    (cli.home / "chat.jsonl").write_text(json.dumps(item))
    cli("run", "baseline/length", "--data", "chat.jsonl", "--out", "o")
    (cli.home / "chat.jsonl").write_text(json.dumps({**item, "prompt": "another"}))
    done = cli("reparse", "o")
    assert done.returncode == 2
    assert "has changed since the run" in done.stderr


def test_the_key_of_the_answers_is_that_of_the_run(cli: Cli, server: ModelServer) -> None:
    cli(*judge(server), "--out", "o")
    (found,) = read_runs([cli.home / "o"])
    assert found.asked.scorer_key == scorer_key(cli.json("o/run.json")["identity"])
