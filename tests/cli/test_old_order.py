"""Answers of versions that drew the order of pairs from ids: found, and read again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from command import Cli

KEPT = Path(__file__).parents[1] / "kept"
# The address in the keys of the kept cache; nobody listens there.
JUDGE = "openai/judge@http://localhost:18923/v1"
KEYS = {"OPENAI_API_KEY": "none"}


@pytest.fixture
def kept(cli: Cli) -> Cli:
    """A home with a cache that an older version filled."""
    shutil.copytree(KEPT / "cache", cli.home / "cache")
    return cli


def test_old_seeded_answers_are_found_in_their_order(kept: Cli) -> None:
    words = ("run", JUDGE, "--limit", "2", "--cache-dir", "cache", "--quiet", "--out", "o")
    done = kept(*words, **KEYS)
    record = kept.json("o/run.json")
    old = KEPT / "run" / "openai-judge" / "results.jsonl"

    assert done.returncode == 0, done.stderr
    assert (record["calls"]["from_cache"], record["calls"]["sent"]) == (72, 0)
    assert len(record["ordered_by_id"]) == 8
    assert (kept.home / "o/results.jsonl").read_bytes() == old.read_bytes()


def test_what_such_a_run_asked_is_found_again(kept: Cli) -> None:
    words = ("run", JUDGE, "--limit", "2", "--cache-dir", "cache", "--quiet", "--out", "o")
    kept(*words, **KEYS)
    read = kept("reparse", "o", "--cache-dir", "cache")

    assert read.returncode == 0, read.stderr
    assert "every reply reads as it is stored" in read.stdout
