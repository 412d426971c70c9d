"""Log-probabilities of responses, from hidden states: a chunk of rows at a time.

The logits of all positions would take vocabulary x length numbers; here only the rows that predict
a response token get any, `chunk` rows at a time, and a row that several responses share gets them
once. log p(token) = logit[token] - logsumexp(logits), in fp32, summed in fp64: a sum of hundreds of
bf16 log-probabilities flips pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from rmjudge.providers.local.forward import States

CHUNK_BYTES: Final = 16 << 20
"""The fp32 logits held at once."""

FEWEST: Final = 16


@dataclass(frozen=True, slots=True)
class ResponseLogprob:
    """log p(response | prompt) in nats, and how many tokens it is the sum of."""

    total: float
    tokens: int


def response_logprobs(
    states: States,
    starts: Sequence[int],
    head: Callable[[Tensor], Tensor],
    *,
    chunk: int | None = None,
) -> list[ResponseLogprob]:
    """The log-probability of every sequence's tokens from `starts[k]` on, given those before.

    Args:
        states: What the decoder left for the sequences.
        starts: For each sequence the index of its first response token, at least 1.
        head: Hidden states [n, width] to logits [n, vocabulary], a final softcap included.
        chunk: Rows of logits at a time; None: as many as `CHUNK_BYTES` hold.

    Raises:
        ValueError: A start is 0, so nothing predicts the first token, or behind the sequence's end.
    """
    rows, targets = [], []
    for own, sequence, start in zip(states.rows, states.sequences, starts, strict=True):
        if not 1 <= start <= len(sequence):
            raise ValueError(f"a response starts at token {start} of {len(sequence)}")
        rows.append(own[start - 1 : len(sequence) - 1])
        targets.append(torch.tensor(sequence[start:], dtype=torch.long))
    if not rows:
        return []
    device = states.hidden.device
    asked = torch.cat(rows).to(device)
    target = torch.cat(targets).to(device)
    needed, place = torch.unique(asked, return_inverse=True)
    order = torch.argsort(place, stable=True)
    logprobs = torch.empty(len(asked), dtype=torch.float32, device=device)
    step = chunk or max(FEWEST, CHUNK_BYTES // (4 * head(states.hidden[:1]).shape[-1]))
    at = taken = 0
    bounds = torch.bincount(place, minlength=len(needed)).cumsum(0).tolist()
    while at < len(needed):
        part = needed[at : at + step]
        logits = head(states.hidden[_filled(part, step)]).float()
        upto = bounds[at + len(part) - 1]
        mine = order[taken:upto]
        chosen = logits[place[mine] - at, target[mine]]
        logprobs[mine] = chosen - torch.logsumexp(logits, -1)[place[mine] - at]
        at, taken = at + len(part), upto
    parts = torch.split(logprobs.double(), [len(own) for own in rows])
    return [ResponseLogprob(float(part.sum()), len(part)) for part in parts]


def _filled(part: Tensor, step: int) -> Tensor:
    """The rows of a chunk, some of them twice, so that a product's kernel is always the same one.

    Libraries choose it by the number of rows: few are special on the CPU, every number on CUDA.
    """
    fewest = step if part.device.type == "cuda" else FEWEST
    return torch.cat([part, part[-1:].expand(max(0, fewest - len(part)))])
