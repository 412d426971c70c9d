"""Stored replies that another parser read, or that are none: paid for, so never a crash."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rmjudge.cache import inspect
from rmjudge.cache.answers import AnswerCache
from rmjudge.runs.stored import read_runs

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

NO_REPLY = {
    "another shape": '{"choices": 7}',
    "another shape within": '{"choices": [{"message": {"content": 7}}]}',
    "null": "null",
    "no JSON": "[[[",
    "nesting 100k deep": "[" * 100_000 + "]" * 100_000,
}

PAID = 9


def judge(server: ModelServer) -> tuple[str, ...]:
    words = ("--limit", "1", "--domain", "code", "--cache-dir", "c", "--out", "o", "--quiet")
    return ("run", server.judge, *words)


def store_otherwise(cli: Cli, raw: str) -> None:
    """The first stored reply of the run becomes another, of an earlier parser."""
    (found,) = read_runs([cli.home / "o"])
    run = found.asked
    stored = inspect.replies(run.cache_folder, run.identity, run.calls)
    key, reply = next(iter(stored.items()))
    changed = replace(reply, raw=raw, parser="earlier/1")
    with AnswerCache(run.cache_folder) as cache:
        asyncio.run(cache.commit(run.scorer_key, [(key, changed)]))


@pytest.mark.parametrize("raw", NO_REPLY.values(), ids=list(NO_REPLY))
def test_a_stored_reply_that_is_none_is_without_a_score_and_not_bought_again(
    cli: Cli, server: ModelServer, raw: str
) -> None:
    assert cli(*judge(server)).returncode == 0
    store_otherwise(cli, raw)
    again, read = cli(*judge(server)), cli("reparse", "o")

    assert (again.returncode, read.returncode) == (1, 0)
    assert sum(cli.json("o/run.json")["statuses"].values()) == 1
    assert "Traceback" not in again.stderr + read.stderr
    assert server.stats["received"] == PAID


def test_such_a_reply_from_another_s_file_ends_no_run(cli: Cli, server: ModelServer) -> None:
    cli(*judge(server))
    store_otherwise(cli, NO_REPLY["nesting 100k deep"])
    assert cli("cache", "export", "a.jsonl.gz", "--cache-dir", "c").returncode == 0
    assert cli("cache", "import", "a.jsonl.gz", "--cache-dir", "other").returncode == 0
    done = cli(*judge(server), "--cache-dir", "other")

    assert (done.returncode, cli.json("o/run.json")["statuses"]) == (1, {"unparsed": 1})
    assert server.stats["received"] == PAID
