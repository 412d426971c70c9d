"""`rmjudge reparse` on other sets than RM-Bench: replies read again, and files written anew."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from command import Cli
from served import ModelServer

from rmjudge.cache import AnswerCache, inspect
from rmjudge.cache.keys import scorer_key
from rmjudge.calls import Unscored
from rmjudge.runs.stored import call_keys
from rmjudge.runs.stored_items import StoredItems

PAIRS = [
    {"prompt": f"Question {n}?", "chosen": f"Right {n}.", "rejected": f"Wrong {n}."}
    for n in range(12)
]
BEST = [
    {**row, "subset": "Math", "chosen": [row["chosen"]], "rejected": ["x.", "y.", "z."]}
    for row in PAIRS
]
OF_BEST = {"num_correct": 1, "total_completions": 4}


def written(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def keep_unread(folder: Path) -> int:
    """Keep a third of a run's replies as an earlier parser would have, which found no verdict."""
    run = StoredItems(folder)
    assert run.cache_folder is not None
    identity = run.record.identity or {}
    keys = [key for plan in run.plan(run.items) for key in call_keys(plan)]
    kept = inspect.replies(run.cache_folder, identity, keys[: len(keys) // 3])
    unread = Unscored("unparsed", "no verdict")
    changed = [(key, replace(reply, answer=unread)) for key, reply in kept.items()]
    with AnswerCache(run.cache_folder) as cache:
        asyncio.run(cache.commit(scorer_key(identity), changed))
    return len(changed)


def of(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **OF_BEST, "id": row["prompt"]}


@pytest.mark.parametrize(
    ("rows", "words", "calls"),
    [
        (PAIRS, (), 12),
        (PAIRS, ("--order", "both"), 24),
        (PAIRS, ("--votes", "2"), 24),
        ([of(row) for row in BEST], (), 48 - 12),
        ([of(row) for row in BEST], ("--method", "choice"), 12),
        ([of(row) for row in BEST], ("--method", "pointwise"), 48),
    ],
    ids=["pairs", "both orders", "votes", "right against wrong", "choice", "ratings"],
)
def test_replies_that_are_understood_now_give_the_files_of_a_run_that_understood_them(
    cli: Cli,
    server: ModelServer,
    rows: list[dict[str, Any]],
    words: tuple[str, ...],
    calls: int,
) -> None:
    home = cli.home
    written(home / "mine.jsonl", rows)
    asked = ("run", server.judge, "--data", "mine.jsonl", "--quiet", *words)
    cli(*asked, "--out", "right")
    changed = keep_unread(home / "right")
    # The same run finds them unread: their parser is today's.
    cli(*asked, "--out", "o")
    assert cli.results("o") != cli.results("right")
    before = {path.name: path.read_bytes() for path in (home / "o").iterdir()}
    delivered = server.stats["delivered"]
    done = cli("reparse", "o", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    (found,) = json.loads(done.stdout)["reparse"]
    assert (found["replies"], found["missing"]) == (calls, 0)
    assert 0 < found["changed_calls"] <= changed
    assert found["changed_tuples"]
    assert {path.name: path.read_bytes() for path in (home / "o").iterdir()} == before
    done = cli("reparse", "o", "--write")
    assert done.returncode == 0, done.stderr
    assert "items change" in done.stdout
    assert cli.results("o") == cli.results("right")
    assert cli.json("o/run.json")["reparsed"]["parser"]
    assert server.stats["delivered"] == delivered
    assert "nothing was written" not in cli("reparse", "o").stdout


def test_a_descriptor_that_counts_otherwise_since_the_run_is_not_taken_for_it(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    written(home / "mine.jsonl", [{**row, "topic": f"t{n % 5}"} for n, row in enumerate(PAIRS)])
    fields = '[fields]\nprompt = "prompt"\nchosen = "chosen"\nrejected = "rejected"\n'
    own = home / "own.toml"
    own.write_text(f'{fields}subset = "topic"\n')
    words = ("--data", "mine.jsonl", "--as", "own.toml", "--out", "o")
    assert cli("run", server.judge, *words).returncode in (0, 1)
    assert cli("reparse", "o").returncode == 0
    own.write_text(f'{fields}subset = "topic"\n[score]\norder = "both-net"\n')
    refused = cli("reparse", "o")
    assert refused.returncode == 2
    assert "has changed since the run, and would count otherwise" in refused.stderr


def test_runs_on_rm_bench_and_on_another_set_are_read_again_together(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    written(home / "mine.jsonl", PAIRS)
    data = ("--data", "sample", "--data", "mine.jsonl", "--limit", "1")
    assert cli("run", server.judge, "baseline/length", *data, "--out", "o").returncode in (0, 1)
    done = cli("reparse", "o", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)["reparse"]
    assert sorted(one["replies"] for one in found) == [0, 0, 1, 36]
    assert not any(one["changed_calls"] for one in found)


def test_rewards_of_conversations_are_found_as_they_were_asked(
    cli: Cli, home: Path, server: ModelServer
) -> None:
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    written(home / "mine.jsonl", [{"messages": talk, "chosen": "Hello.", "rejected": "No."}])
    done = cli("run", server.reward, "--data", "mine.jsonl", "--out", "o")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(cli("reparse", "o", "--json").stdout)["reparse"]
    assert (found["replies"], found["missing"], found["changed_calls"]) == (2, 0, 0)
