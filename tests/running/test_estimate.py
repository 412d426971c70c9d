"""What a run would buy: every call that the cache lacks, once."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from own_scorers import Shorter, tuple_of

import rmjudge
from rmjudge.options import RunOptions
from rmjudge.running.estimate import estimate
from rmjudge.running.preparation import prepare


@pytest.mark.parametrize(
    ("bought", "asked", "planned", "to_buy"),
    [
        (None, "seeded", 9, 9),
        (None, "adaptive", 18, 18),
        ("seeded", "seeded", 9, 0),
        ("seeded", "both", 18, 9),
        ("seeded", "adaptive", 18, 9),
        ("both", "adaptive", 18, 0),
        ("both", "audit=100%", 18, 0),
    ],
)
def test_an_estimate_counts_every_missing_call_once(
    bought: Any, asked: Any, planned: int, to_buy: int
) -> None:
    Path("mine.jsonl").write_text(json.dumps(tuple_of(1)))
    cache = Path("cache")
    if bought:
        rmjudge.evaluate(
            Shorter(), data="mine.jsonl", out="o", limit=1, cache_dir=cache, order=bought
        )
    options = RunOptions(data=("mine.jsonl",), order=asked, cache_dir=cache)
    (found,) = asyncio.run(estimate(prepare([Shorter()], options)))
    assert (found.planned, found.from_cache, found.to_buy) == (planned, planned - to_buy, to_buy)
