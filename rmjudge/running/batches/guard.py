"""Whether a batch's answers are to the questions that they are filed under. Pure.

Within a tuple the input tokens of a comparison are a part for each of its two responses and one
for the rest, whatever the tokenizer. So around any circle of comparisons, their alternating sum is
0: a swapped answer breaks it. Between tuples, tokens grow with the bytes of the texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from rmjudge.calls import Call, ChooseCall, CompareCall, RewardCall

MOST_RESIDUAL: Final = 3
"""Tokens by which a comparison may differ from the sum of its parts."""
LEAST_CORRELATION: Final = 0.9
LEAST_ROWS: Final = 270
LEAST_PROMPTS: Final = 10


def contradiction(counted: Sequence[tuple[Call, int]]) -> str:
    """What speaks against a batch's answers; empty for nothing. Pairs of a call and its tokens."""
    by_prompt: defaultdict[str, list[tuple[CompareCall, int]]] = defaultdict(list)
    for call, tokens in counted:
        if isinstance(call, CompareCall):
            by_prompt[call.prompt].append((call, tokens))
    worst = max((_residual(pairs) for pairs in by_prompt.values()), default=0)
    if worst > MOST_RESIDUAL:
        return (
            f"the input tokens of a tuple's comparisons do not add up, by up to {worst} tokens: "
            "answers may be under wrong keys"
        )
    found = _correlation(counted)
    if found is not None and found < LEAST_CORRELATION:
        return (
            f"the input tokens do not grow with the texts (correlation {found:.2f}): answers may "
            "be under wrong keys"
        )
    return ""


def _residual(pairs: Sequence[tuple[CompareCall, int]]) -> int:
    """The most by which a comparison differs from the sum of its two responses' parts."""
    beside: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for call, tokens in pairs:
        beside[call.first].append((call.second, tokens))
        beside[call.second].append((call.first, tokens))
    part: dict[str, int] = {}
    for start in beside:
        if start not in part:
            part |= _parts(start, beside)
    return max((abs(tokens - part[c.first] - part[c.second]) for c, tokens in pairs), default=0)


def _parts(start: str, beside: Mapping[str, Sequence[tuple[str, int]]]) -> dict[str, int]:
    """A part for each response that comparisons lead to; the first's is free."""
    part = {start: 0}
    todo = [start]
    for text in todo:
        for other, tokens in beside[text]:
            if other not in part:
                part[other] = tokens - part[text]
                todo.append(other)
    return part


def _correlation(counted: Sequence[tuple[Call, int]]) -> float | None:
    """Of a prompt's mean tokens with its mean bytes; None for too few."""
    if len(counted) < LEAST_ROWS:
        return None
    by_prompt: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for call, tokens in counted:
        by_prompt[call.prompt].append((sum(map(_bytes, _texts(call))), tokens))
    means = np.array([np.mean(pairs, axis=0) for pairs in by_prompt.values()])
    if len(means) < LEAST_PROMPTS or not means.std(axis=0).all():
        return None
    return float(np.corrcoef(means.T)[0, 1])


def _texts(call: Call) -> Iterator[str]:
    yield call.prompt
    if isinstance(call, CompareCall):
        yield from (call.first, call.second)
    elif isinstance(call, ChooseCall):
        yield from call.responses
    elif isinstance(call, RewardCall):
        yield call.response


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
