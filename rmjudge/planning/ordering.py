"""Which response a judge sees first: a hash decides, never a clock, a thread or a subset.

The rule: the distinct comparisons of a tuple are ranked by the hash of (seed, prompt, chosen,
rejected); the first half of the ranking shows the chosen first. Of nine cells that is four or
five, and a hash of the seed and all texts decides which, so that a set of tuples is balanced as
well. Only texts count: a tuple under another id, or in another file, is asked in the same order.

Versions before this rule hashed the tuple's domain and id and the cell in place of the texts. Their
answers are found by the old rule, tuple by tuple (`rmjudge.running.preparation`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from rmjudge.dataset.tuples import BenchTuple


def chosen_first(
    item: BenchTuple, cells: Sequence[tuple[int, int]], seed: int
) -> dict[tuple[int, int], bool]:
    """Say for each cell (i, j) whether the chosen is shown first."""
    pairs = {(i, j): (item.chosen[i], item.rejected[j]) for i, j in cells}
    return better_first(item.prompt, item.chosen, item.rejected, pairs, seed)


def better_first(
    prompt: str,
    chosen: Sequence[str],
    rejected: Sequence[str],
    pairs: Mapping[tuple[int, int], tuple[str, str]],
    seed: int,
) -> dict[tuple[int, int], bool]:
    """Say for each pair of a better and a worse text whether the better one is shown first."""
    hashes = {
        cell: _of_texts(seed, prompt, better, worse) for cell, (better, worse) in pairs.items()
    }
    everything = (prompt, *sorted(chosen), *sorted(rejected))
    return _halved(hashes, _of_texts(seed, *everything))


def shuffled(prompt: str, texts: Sequence[str], seed: int) -> tuple[str, ...]:
    """Put distinct texts into the order in which they are shown to choose from."""
    return tuple(sorted(texts, key=lambda text: (_of_texts(seed, prompt, text), text)))


def chosen_first_by_id(
    item: BenchTuple, cells: Sequence[tuple[int, int]], seed: int
) -> dict[tuple[int, int], bool]:
    """Say the same by the rule of older versions, which hashed the tuple's domain and id."""
    tuple_words = f"{seed!r}|{item.domain!r}|{item.id!r}"
    hashes = {cell: _hash(f"{tuple_words}|{cell[0]}|{cell[1]}") for cell in cells}
    return _halved(hashes, _hash(tuple_words))


def _halved(
    hashes: Mapping[tuple[int, int], bytes], of_tuple: bytes
) -> dict[tuple[int, int], bool]:
    ranked = sorted(hashes, key=lambda cell: (hashes[cell], cell))
    half = len(ranked) // 2
    if len(ranked) % 2:
        half += of_tuple[0] & 1
    return {cell: rank < half for rank, cell in enumerate(ranked)}


def _of_texts(seed: int, *texts: str) -> bytes:
    return _hash("|".join([repr(seed), *_digests(texts)]))


def _digests(texts: Iterable[str]) -> Iterable[str]:
    return (_digest(text) for text in texts)


@lru_cache(maxsize=4096)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _hash(words: str) -> bytes:
    return hashlib.sha256(words.encode("utf-8", "backslashreplace")).digest()
