"""One forward pass through a decoder: of a pack, or of sequences side by side with padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from rmjudge.providers.local import attention
from rmjudge.providers.local.packing import Pack, TokenIds
from rmjudge.providers.local.states import States

Place = tuple[int, int]


def packed(
    decoder: Any, pack: Pack, sequences: Sequence[TokenIds], places: Sequence[Place]
) -> States:
    """The sequences of `pack` in one row of tokens; `decoder` is set to packed attention.

    Raises:
        RefusedError: The decoder mixes tokens in a way that knows nothing of packs.
    """
    tokens = torch.zeros((1, pack.rows), dtype=torch.long)
    positions = torch.zeros((1, pack.rows), dtype=torch.long)
    for trie, offset in zip(pack.tries, pack.offsets, strict=True):
        tokens[0, offset : offset + len(trie.tokens)] = torch.tensor(trie.tokens)
    for node in pack.nodes():
        length = node.stop - node.start
        positions[0, node.start : node.stop] = torch.arange(length) + node.position
    device = input_device(decoder)
    with attention.attending(pack) as passed:
        hidden = decoder(
            input_ids=tokens.to(device),
            # Without a mask transformers would guess from the positions what is packed, and how.
            attention_mask=torch.ones_like(tokens).to(device),
            position_ids=positions.to(device),
            use_cache=False,
        )[0][0]
    layers = decoder.config.get_text_config().num_hidden_layers
    if passed.layers != layers:
        others = f"{layers - passed.layers} of its {layers} layers"
        raise attention.RefusedError(f"{others} mix tokens otherwise than by attention")
    rows = [
        torch.cat([torch.arange(start, stop) for start, stop in ranges]).to(hidden.device)
        for ranges in pack.sequences()
    ]
    return States(hidden, rows, sequences, places)


def padded(decoder: Any, sequences: Sequence[TokenIds], places: Sequence[Place]) -> States:
    """The sequences side by side, padded on the right; equal ones once."""
    distinct = list(dict.fromkeys(sequences))
    longest = max(map(len, distinct))
    tokens = torch.zeros((len(distinct), longest), dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for index, sequence in enumerate(distinct):
        tokens[index, : len(sequence)] = torch.tensor(sequence)
        mask[index, : len(sequence)] = 1
    device = input_device(decoder)
    # A mask that hides nothing still costs a matrix product over it in some kernels.
    told = {} if bool(mask.all()) else {"attention_mask": mask.to(device)}
    hidden = decoder(input_ids=tokens.to(device), use_cache=False, **told)[0]
    starts = {sequence: index * longest for index, sequence in enumerate(distinct)}
    rows = [
        torch.arange(starts[sequence], starts[sequence] + len(sequence), device=hidden.device)
        for sequence in sequences
    ]
    return States(hidden.flatten(0, 1), rows, sequences, places)


def input_device(decoder: Any) -> torch.device:
    """Where token ids go: a model may be spread over several devices."""
    device: torch.device = decoder.get_input_embeddings().weight.device
    return device
