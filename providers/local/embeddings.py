"""Tokens that a tokenizer writes and a model has no embedding for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def rows_of(model: Any) -> int | None:
    """How many tokens a model has embeddings for; None where its code does not tell."""
    try:
        layer = model.get_input_embeddings()
    except (NotImplementedError, AttributeError):
        return None
    weight = getattr(layer, "weight", None)
    return None if weight is None else len(weight)


def unembedded(ids: Sequence[int], rows: int | None) -> str:
    """What stops a text from being scored: asked for, such a token would end the whole run."""
    largest = max(ids, default=0)
    if rows is None or largest < rows:
        return ""
    return f"it holds token {largest}, and the model has embeddings for {rows} tokens"
