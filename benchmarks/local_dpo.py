"""How much faster and smaller implicit rewards of DPO policies are computed than plainly.

    python benchmarks/local_dpo.py              # about 5 minutes on one core
    python benchmarks/local_dpo.py --tuples 6 --rounds 1

The plain way, as reward-bench's inference has it: dataset order, padded batches of 8, chosen and
rejected apart, the log-softmax of all logits of a batch, policy and reference. Each way runs in a
process of its own; its peak memory is the most it held beyond what it held once loaded.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from bench_setup import DATA, SIZES, Rendered, config, flips, load, render, train_tokenizer
from transformers import Qwen3ForCausalLM

from rmjudge.providers.local.forward import Forward, States
from rmjudge.providers.local.likelihoods import response_logprobs

BATCH = 8
BETA = 0.1


def main() -> None:
    """Run both ways in turn, each in its own process, and print the table."""
    options = _options()
    if options.way:
        _child(options)
        return
    print(f"{options.tuples} tuples, {options.size} policy and reference, {options.threads} thread")
    for reference in (False, True):
        best: dict[str, dict[str, Any]] = {}
        for _ in range(options.rounds):
            for way in ("plain", "packed"):
                told = _measured(way, reference, options)
                if way not in best or told["seconds"] < best[way]["seconds"]:
                    best[way] = told
        plain, packed = best["plain"], best["packed"]
        apart = _apart(plain["sums"], packed["sums"])
        changed, pairs_in_all = flips(plain["scores"], packed["scores"])
        print(f"\n{'with' if reference else 'without'} reference; probe: {packed['product']}")
        print(f"  {'way':<8} {'seconds':>8} {'ratio':>6} {'peak MiB':>9} {'ratio':>6}")
        for name, one in best.items():
            faster, smaller = plain["seconds"] / one["seconds"], plain["peak"] / one["peak"]
            peak = one["peak"] / 2**20
            print(f"  {name:<8} {one['seconds']:8.2f} {faster:6.2f} {peak:9.0f} {smaller:6.2f}")
        print(f"  largest relative difference of log p(response) {apart:.1e}")
        if reference:
            apart = _apart(plain["scores"], packed["scores"])
            print(f"  of rewards, small differences of such sums, {apart:.1e}")
        print(f"  pairs flipped: {changed} of {pairs_in_all}")


def _apart(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest relative difference."""
    return max(abs(a - b) / abs(a) for a, b in zip(one, other, strict=True))


def _measured(way: str, reference: bool, options: Any) -> dict[str, Any]:
    """One process: seconds, peak bytes and scores."""
    command = [sys.executable, __file__, "--way", way, "--tuples", str(options.tuples)]
    command += ["--size", options.size, "--data", str(options.data)]
    command += ["--threads", str(options.threads), *(["--reference"] if reference else [])]
    told: dict[str, Any] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return told


def _child(options: Any) -> None:
    torch.set_num_threads(options.threads)
    texts = render(train_tokenizer(options.data), load(options.data, options.tuples))
    models = []
    for seed in range(2 if options.reference else 1):
        torch.manual_seed(seed)
        models.append(Qwen3ForCausalLM(config(options.size)).eval())
    forwards = [Forward(model.base_model) for model in models] if options.way == "packed" else []
    loaded = _held()
    began = time.process_time()
    if forwards:
        sums = [_packed(model, way, texts) for model, way in zip(models, forwards, strict=True)]
    else:
        sums = [_plain(model, texts) for model in models]
    seconds = time.process_time() - began
    peak = _status("VmHWM") - loaded
    scores = sums[0]
    if options.reference:
        scores = [BETA * (a - b) for a, b in zip(*sums, strict=True)]
    product = forwards[0].described["matmul"] if forwards else ""
    told = {"seconds": seconds, "peak": peak, "product": product}
    print(json.dumps(told | {"scores": scores, "sums": [total for one in sums for total in one]}))


def _held() -> int:
    """Bytes in memory now; the peak so far is set back to it."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")
    return _status("VmRSS")


def _status(name: str) -> int:
    """A size in bytes that Linux keeps of this process."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def _packed(model: Any, forward: Forward, texts: Sequence[Rendered]) -> list[float]:
    """Sums of log-probabilities of the responses, in the order of the sequences."""
    head = model.get_output_embeddings()
    prompts = [one.prompt for one in texts]

    def read(states: States) -> list[float]:
        starts = [prompts[group] for group, _ in states.places]
        return [one.total for one in response_logprobs(states, starts, head)]

    return [one for row in forward.run([one.sequences for one in texts], read) for one in row]


def _plain(model: Any, texts: Sequence[Rendered]) -> list[float]:
    """The same, batch by batch, over all logits."""
    sums: list[list[float]] = [[0.0] * 6 for _ in texts]
    for side in (range(3), range(3, 6)):
        asked = [(index, k) for index in range(len(texts)) for k in side]
        for at in range(0, len(asked), BATCH):
            batch = asked[at : at + BATCH]
            found = _batch(model, [(texts[i].sequences[k], texts[i].prompt) for i, k in batch])
            for (index, k), total in zip(batch, found, strict=True):
                sums[index][k] = total
    return [total for row in sums for total in row]


def _batch(model: Any, batch: Sequence[tuple[tuple[int, ...], int]]) -> list[float]:
    longest = max(len(sequence) for sequence, _ in batch)
    ids = torch.tensor([[*s, *[0] * (longest - len(s))] for s, _ in batch])
    mask = torch.tensor([[1] * len(s) + [0] * (longest - len(s)) for s, _ in batch])
    answer = mask.clone()
    for row, (_, prompt) in enumerate(batch):
        answer[row, :prompt] = 0
    with torch.no_grad():
        logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
        told = logits[:, :-1].log_softmax(-1)
        chosen = torch.gather(told, 2, ids[:, 1:, None])[:, :, 0]
        totals: list[float] = (chosen * answer[:, 1:]).sum(-1).tolist()
    return totals


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tuples", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--size", choices=SIZES, default="30m")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of RM-Bench's files")
    parser.add_argument("--way", choices=("plain", "packed"), help=argparse.SUPPRESS)
    parser.add_argument("--reference", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
