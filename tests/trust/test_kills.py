"""Nothing lost and nothing paid twice: a run that is killed again and again, an import killed."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from rmjudge.cache.portable import GROUP_LINES

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from command import Cli
    from served import ModelServer

CALLS = 504  # both orders of nine comparisons, seven tuples of each of four domains
CONCURRENCY = 8
KILLS = 25
SEED = 5
GUARD_S = 60
"""Only so that a broken program ends the test; nothing is asserted of it."""


def judge(server: ModelServer, out: str) -> tuple[str, ...]:
    words = ("--order", "both", "--limit", "7", "--concurrency", str(CONCURRENCY), "--quiet")
    return ("run", server.judge, *words, "--out", out)


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    """Poll until it is so, while the process runs."""
    end = time.monotonic() + GUARD_S
    while not reached():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def kill_after(cli: Cli, server: ModelServer, answers: int, moment_s: float) -> None:
    """Start the run and kill it a moment after so many more answers were delivered."""
    before = server.stats["delivered"]
    with cli.start(*judge(server, "o")) as process:
        wait_until(lambda: bool(server.stats["delivered"] >= before + answers), process)
        time.sleep(moment_s)
        process.kill()
        process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.fixture(scope="module")
def undisturbed(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> dict[str, bytes]:
    """The files of a run that nothing happened to, with a cache of its own."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    assert cli(*judge(server, "o")).returncode == 0
    assert server.stats["delivered"] == CALLS
    return cli.results("o")


def test_twenty_five_kills_lose_nothing_and_cost_at_most_the_calls_in_flight(
    cli: Cli, server: ModelServer, undisturbed: dict[str, bytes]
) -> None:
    server.control(latency_s=0.04)
    draw = random.Random(SEED)
    for kill in range(KILLS):
        # A fifth of the kills hit the start: importing, planning, opening the cache.
        answers, moment_s = (0, 0.6) if kill % 5 == 4 else (draw.randint(0, 28), 0.05)
        kill_after(cli, server, answers, draw.uniform(0, moment_s))
    killed = server.stats
    assert killed["delivered"] < CALLS

    server.control(latency_s=0)
    done = cli(*judge(server, "o"))
    stats = server.stats
    assert done.returncode == 0, done.stderr
    assert cli.results("o") == undisturbed
    assert stats["received"] > stats["distinct"] == CALLS
    # Delivered, but the process died before its answer was on disk.
    assert stats["delivered_again"] <= KILLS * CONCURRENCY
    # Of a vendor that bills for calls whose client has hung up, too.
    assert stats["received"] - CALLS <= KILLS * CONCURRENCY

    assert cli(*judge(server, "again")).returncode == 0
    assert cli.results("again") == undisturbed
    assert server.stats["received"] == stats["received"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_an_import_that_is_killed_leaves_a_sound_cache_and_goes_on(cli: Cli) -> None:
    (cli.home / "chat.jsonl").write_text("".join(map(distinct, range(GROUP_LINES // 5))))
    words = ("baseline/length", "--data", "chat.jsonl", "--cache-dir", "c", "--quiet")
    assert cli("run", *words).returncode == 0
    assert cli("cache", "export", "whole.jsonl", "--cache-dir", "c").returncode == 0
    lines = (cli.home / "whole.jsonl").read_bytes().splitlines(keepends=True)
    assert len(lines) > GROUP_LINES + 100
    os.mkfifo(cli.home / "slow.jsonl")
    process = cli.start("cache", "import", "slow.jsonl", "--cache-dir", "new")
    with process, (cli.home / "slow.jsonl").open("wb") as pipe:
        pipe.writelines(lines[: GROUP_LINES + 100])
        pipe.flush()
        wait_until(lambda: answers(cli.home / "new") > 0, process)
        process.kill()
        process.communicate()
    assert answers(cli.home / "new") < len(lines)

    assert cli("cache", "verify", "--cache-dir", "new").returncode == 0
    done = cli("cache", "import", "whole.jsonl", "--cache-dir", "new")
    assert (done.returncode, done.stderr) == (0, "")
    cli("cache", "export", "again.jsonl", "--cache-dir", "new")
    assert (cli.home / "again.jsonl").read_bytes() == b"".join(lines)


def distinct(number: int) -> str:
    """A tuple, as a line of a data file, none of whose texts is in another."""
    texts = [f"{number}{letter}" for letter in "abcdef"]
    item = {"id": number, "prompt": f"{number}?", "chosen": texts[:3], "rejected": texts[3:]}
    return f"{json.dumps(item)}\n"


def answers(cache: Path) -> int:
    """How many rows were committed."""
    try:
        with closing(sqlite3.connect(f"file:{cache}/cache.db?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM Cache").fetchone()[0])
    except sqlite3.OperationalError:  # it is being made
        return 0
