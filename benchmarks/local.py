"""How much faster classifiers are scored packed than the published way, and how exact that is.

    python benchmarks/local.py                  # about 4 minutes on one core
    python benchmarks/local.py --only fp32 --tuples 16 --rounds 1
    python benchmarks/local.py --device cuda --size 600m --only bf16

The published way: dataset order, batches of 8 padded to the longest, two passes (chosen, rejected).
Same weights, same process, one thread; CPU time, the ways in turn, the least of the rounds.
"""

from __future__ import annotations

import argparse
import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from bench_setup import (
    DATA,
    SIZES,
    Rendered,
    Way,
    config,
    flips,
    load,
    measure,
    prompt_heavy,
    render,
    train_tokenizer,
)
from transformers import Qwen3ForSequenceClassification

from rmjudge.providers.local import matmul
from rmjudge.providers.local.forward import Forward, States

BATCH = 8
PARTS = ("fp32", "prompt-heavy", "bf16")


def main() -> None:
    """Measure what the command line asks for, and print one table for each part."""
    options = _options()
    torch.set_num_threads(options.threads)
    items = load(options.data, options.tuples)
    rendered = render(train_tokenizer(options.data), items)
    lengths = [len(sequence) for one in rendered for sequence in one.sequences]
    torch.manual_seed(0)
    model = Qwen3ForSequenceClassification(config(options.size, num_labels=1)).eval()
    count = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    print(
        f"{len(rendered)} tuples, {len(lengths)} sequences of {sum(lengths) / len(lengths):.0f} "
        f"tokens on average, at most {max(lengths)}; {count:.0f} M parameters; "
        f"{options.threads} thread(s), {options.device}"
    )
    for part in options.only or PARTS:
        dtype = torch.bfloat16 if part == "bf16" else torch.float32
        texts = prompt_heavy(rendered[::3]) if part == "prompt-heavy" else rendered
        if part == "bf16" and options.device == "cpu":
            texts = rendered[::6]  # without bf16 instructions the published way takes minutes
        _compare(part, copy.deepcopy(model).to(options.device, dtype), texts, options)


def _compare(part: str, model: Any, texts: Sequence[Rendered], options: Any) -> None:
    """One table: the published way, and ours."""
    decoder = model.base_model
    forward = Forward(decoder, token_budget=options.token_budget)
    if forward.way != "packed":
        raise SystemExit(f"the model is not packed: {forward.reason}")
    packed = decoder.config._attn_implementation  # noqa: SLF001
    groups = [one.sequences for one in texts]

    def usual() -> None:
        matmul.restore(decoder)
        decoder.set_attn_implementation("sdpa")

    def stock() -> None:
        matmul.restore(decoder)
        decoder.set_attn_implementation(packed)

    def best() -> None:
        matmul.speed_up(decoder)
        decoder.set_attn_implementation(packed)

    def ours(way: Forward) -> Callable[[], list[float]]:
        return lambda: [score for row in way.run(groups, _reader(model)) for score in row]

    usual()
    fallback = Forward(decoder, token_budget=options.token_budget, way="sorted")
    ways = [
        Way("published way", lambda: _published(model, texts), usual),
        Way("packed, shared beginnings", ours(forward), stock),
        Way("sorted (the fallback)", ours(fallback), usual),
    ]
    product = forward.described["matmul"]
    if product != "torch":
        ways.append(Way(f"packed, {product} products", ours(forward), best))
    measure(ways, options.rounds, options.device)
    tokens = sum(len(sequence) for group in groups for sequence in group)
    print(f"\n{part}, {len(texts)} tuples, {tokens} tokens; probe: {product}")
    print(f"  {'way':<32} {'seconds':>8} {'ratio':>6} {'largest difference':>19}  flipped pairs")
    first = ways[0]
    for way in ways:
        apart = max(abs(a - b) for a, b in zip(first.scores, way.scores, strict=True))
        changed, pairs = flips(first.scores, way.scores)
        ratio = first.seconds / way.seconds
        print(
            f"  {way.name:<32} {way.seconds:8.2f} {ratio:6.2f} {apart:19.1e}  {changed} of {pairs}"
        )
    if part == "bf16":
        (stock if product == "torch" else best)()
        some = groups[:4]
        alone = [forward.run([group], _reader(model))[0] for group in some]
        together = forward.run(groups, _reader(model))[: len(some)]
        same = "the same bits" if alone == together else "NOT the same bits"
        print(f"  {len(some)} tuples alone and among all {len(groups)}: {same}")
    if options.device == "cuda":
        _peaks(ways)


def _published(model: Any, texts: Sequence[Rendered]) -> list[float]:
    """Scores in the order of the sequences: all chosen in batches, then all rejected."""
    scores: list[list[float]] = [[0.0] * 6 for _ in texts]
    device = model.score.weight.device
    for side in (range(3), range(3, 6)):
        asked = [(index, k) for index in range(len(texts)) for k in side]
        for at in range(0, len(asked), BATCH):
            batch = asked[at : at + BATCH]
            sequences = [texts[index].sequences[k] for index, k in batch]
            longest = max(map(len, sequences))
            ids = torch.tensor([[*s, *[0] * (longest - len(s))] for s in sequences])
            mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s in sequences])
            with torch.no_grad():
                logits = model(
                    input_ids=ids.to(device), attention_mask=mask.to(device), use_cache=False
                ).logits[:, 0]
            for (index, k), score in zip(batch, logits.float().tolist(), strict=True):
                scores[index][k] = score
    return [score for row in scores for score in row]


def _reader(model: Any) -> Callable[[States], list[float]]:
    """The reward at the last token, the head in fp32."""
    weight = model.score.weight.detach().float()

    def read(states: States) -> list[float]:
        last = torch.stack([rows[-1] for rows in states.rows])
        rewards: list[float] = (states.hidden[last].float() @ weight.T)[:, 0].tolist()
        return rewards

    return read


def _peaks(ways: Sequence[Way]) -> None:
    """Peak memory of each way on the GPU."""
    for way in ways:
        way.before()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
        way.run()
        print(f"  {way.name:<32} peak {torch.cuda.max_memory_allocated() / 2**20:8.0f} MiB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=PARTS, help="one part of the table")
    parser.add_argument("--tuples", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--size", choices=SIZES, default="30m")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--token-budget", type=int, help="tokens of one forward pass")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of RM-Bench's files")
    return parser.parse_args()


if __name__ == "__main__":
    main()
