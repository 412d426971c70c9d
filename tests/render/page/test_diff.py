"""The page's own word diff, run without a browser: Node is on most machines."""

from __future__ import annotations

import json
from typing import Any

from page_scripts import made_by
from word_differences import CASES


def differences(pairs: list[tuple[str, str]]) -> list[Any]:
    """What the page's script makes of each pair: two lists of `[text, own]`."""
    expression = f"{json.dumps(pairs)}.map((pair) => difference(...pair))"
    found: list[Any] = made_by(("diff.js",), expression)
    return found


def test_the_words_of_one_side_alone_are_marked() -> None:
    found = differences([(one, other) for one, other, _, _ in CASES])
    for sides, (_, _, *expected) in zip(found, CASES, strict=True):
        shown = ["".join(f"<{t}>" if own else t for t, own in side) for side in sides]
        assert shown == expected


def test_long_texts_stay_whole_and_what_is_alike_at_their_ends_is_found() -> None:
    middle = [" ".join(f"{word}{k}" for k in range(3_000)) for word in "xy"]
    pairs = [(f"begin {middle[0]} end", f"begin {middle[1]} end")]
    ((first, second),) = differences(pairs)
    assert ("".join(t for t, _ in first), "".join(t for t, _ in second)) == pairs[0]
    assert (first[0], first[-1]) == (["begin ", False], [" end", False])
