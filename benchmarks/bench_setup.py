"""What the benchmarks of local scoring share: real texts, a tokenizer, random models, a clock."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Qwen3Config

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "rm-bench"
FILES = ("chat_filtered.json", "safety-refuse_filtered.json")
VOCABULARY = 8192
SPECIAL = ("<|pad|>", "<|user|>", "<|assistant|>", "<|end|>")
SIZES = {
    "30m": {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 8},
    "100m": {"hidden_size": 768, "intermediate_size": 2304, "num_hidden_layers": 12},
    "600m": {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28},
}

TokenIds = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """One tuple's six conversations as token ids, chosen before rejected, and the prompt's part."""

    sequences: tuple[TokenIds, ...]
    prompt: int


def load(folder: Path, tuples: int) -> list[dict[str, Any]]:
    """`tuples` items, evenly spread over the files."""
    items = [item for name in FILES for item in json.loads((folder / name).read_text("utf-8"))]
    step = max(1, len(items) // tuples)
    return items[::step][:tuples]


def train_tokenizer(folder: Path) -> Tokenizer:
    """A byte-level BPE trained on the texts themselves."""
    texts = []
    for name in FILES:
        for item in json.loads((folder / name).read_text("utf-8")):
            texts += [item["prompt"], *item["chosen"], *item["rejected"]]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=list(SPECIAL), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def render(tokenizer: Tokenizer, items: Sequence[dict[str, Any]]) -> list[Rendered]:
    """Every item's six conversations."""
    rendered = []
    for item in items:
        head = f"<|user|>{item['prompt']}<|end|><|assistant|>"
        texts = [head + text + "<|end|>" for text in (*item["chosen"], *item["rejected"])]
        ids = [tuple(encoding.ids) for encoding in tokenizer.encode_batch_fast(texts)]
        rendered.append(Rendered(tuple(ids), len(tokenizer.encode(head).ids)))
    return rendered


def prompt_heavy(rendered: Sequence[Rendered], length: int = 1024) -> list[Rendered]:
    """The same responses, cut to 128 tokens, behind a prompt of `length` tokens of other texts."""
    material = [token for one in rendered for sequence in one.sequences for token in sequence]
    heavy = []
    for index, one in enumerate(rendered):
        at = index * 37 % max(1, len(material) - length)
        prompt = tuple(material[at : at + length])
        answers = [prompt + sequence[one.prompt :][:128] for sequence in one.sequences]
        heavy.append(Rendered(tuple(answers), length))
    return heavy


def config(size: str, **more: Any) -> Any:
    """A Qwen3 architecture of about that many parameters."""
    heads = SIZES[size]["hidden_size"] // 64
    return Qwen3Config(
        vocab_size=VOCABULARY,
        head_dim=64,
        num_attention_heads=heads,
        num_key_value_heads=heads // 2,
        max_position_embeddings=4096,
        pad_token_id=0,
        **SIZES[size],
        **more,
    )


@dataclass(slots=True)
class Way:
    """One way of scoring: what must be set up before each run, and the run."""

    name: str
    run: Callable[[], list[float]]
    before: Callable[[], None] = lambda: None
    seconds: float = float("inf")
    scores: list[float] = field(default_factory=list)


def measure(ways: Sequence[Way], rounds: int, device: str) -> None:
    """Run the ways in turn, `rounds` times; each keeps its least time and its scores."""
    for number in range(rounds):
        for way in ways:
            way.before()
            began = clock(device)
            way.scores = way.run()
            way.seconds = min(way.seconds, clock(device) - began)
            print(f"\r  round {number + 1}/{rounds} {way.name:<40}", end="", file=sys.stderr)
    print("\r" + " " * 70 + "\r", end="", file=sys.stderr)


def clock(device: str) -> float:
    """CPU seconds of this process; on a GPU, seconds when all work is done."""
    if device == "cuda":
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time()


def flips(one: Sequence[float], other: Sequence[float]) -> tuple[int, int]:
    """How many of all (chosen, rejected) pairs the two put in another order, and of how many."""
    changed = pairs = 0
    for at in range(0, len(one), 6):
        for i in range(at, at + 3):
            for j in range(at + 3, at + 6):
                pairs += 1
                changed += _sign(one[i] - one[j]) != _sign(other[i] - other[j])
    return changed, pairs


def _sign(number: float) -> int:
    return (number > 0) - (number < 0)
