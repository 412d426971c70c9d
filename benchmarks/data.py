"""Texts for the benchmarks: distinct, of the lengths of RM-Bench's chat tuples, from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

CALLS_A_TUPLE: Final = 9
_SENTENCES: Final = (
    "the model answers a question about style and substance with care while another one adds "
    "lists headings bold words and many more sentences that say little of what was asked for"
)
_WORDS: Final = tuple(_SENTENCES.split())


def _text(draw: random.Random, words: int) -> str:
    return " ".join(draw.choices(_WORDS, k=words))


def prompts(calls: int) -> Iterator[str]:
    """Whole judge prompts of 2 to 6 KB, as the pipeline's own requests have."""
    draw = random.Random(1)
    for number in range(calls):
        yield f"{number} {_text(draw, draw.randint(350, 1000))}"


def write_data(folder: Path, calls: int) -> Path:
    """Write a data set that makes at least so many comparisons; return its file."""
    draw = random.Random(2)
    path = folder / "chat_filtered.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(-(-calls // CALLS_A_TUPLE)):
            chosen, rejected = (
                [f"{side}{number} {_text(draw, words)}" for words in (60, 200, 260)]
                for side in "cr"
            )
            item = {"id": number, "prompt": f"{number} {_text(draw, 60)}"}
            file.write(json.dumps({**item, "chosen": chosen, "rejected": rejected}) + "\n")
    return path
