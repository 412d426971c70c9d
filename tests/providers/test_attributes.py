"""What reward models say beside their reward, in the stored replies of each provider."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmjudge.providers.attributes import attributes_of

PAIRS = "helpfulness:1.61,correctness:1.64,coherence:3.31,complexity:0.54,verbosity:0.51"
FIVE = {
    "helpfulness": 1.61,
    "correctness": 1.64,
    "coherence": 3.31,
    "complexity": 0.54,
    "verbosity": 0.51,
}


def completion(content: Any, tokens: Any = None) -> Any:
    message = {"role": "assistant", "content": content}
    return {"choices": [{"message": [message], "logprobs": tokens}]}


def tokens() -> Any:
    return {"content": [{"token": name, "logprob": value} for name, value in FIVE.items()]}


@pytest.mark.parametrize(
    ("provider", "body", "found"),
    [
        ("nim", completion(PAIRS), FIVE),
        ("nim", completion(None, tokens()), FIVE),
        ("nim", completion("reward:-3.5"), {"reward": -3.5}),
        ("tei", [{"label": "verbosity", "score": 2}], {"verbosity": 2.0}),
        ("hf-endpoint", [[{"label": "a", "score": 1.5}]], {"a": 1.5}),
        ("nemo", {"rewards": [0.5, 1.5]}, {"column_0": 0.5, "column_1": 1.5}),
        ("hf", {"reward": 1.0, "attributes": {"correctness": 2.0}}, {"correctness": 2.0}),
        ("hf", {"reward": 1.0, "tokens": 3}, {}),
        ("openai", completion("\\boxed{A}"), {}),
    ],
)
def test_named_numbers_are_found(provider: str, body: Any, found: dict[str, float]) -> None:
    assert attributes_of({"provider": provider, "model": "m"}, json.dumps(body)) == found


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "no JSON",
        "3",
        "[" * 100_000,
        '{"choices": []}',
        '{"choices": [{"message": 1}]}',
        '{"attributes": [1, 2]}',
        '{"attributes": {"a": "1", "b": true, "c": null, "d": NaN, "e": 1e300, "f": 1%s}}'
        % ("0" * 400),
    ],
)
@pytest.mark.parametrize("provider", ["nim", "nemo", "tei", "hf", "unheard-of"])
def test_what_is_no_number_is_left_out_and_nothing_is_raised(provider: str, raw: str) -> None:
    assert attributes_of({"provider": provider, "model": "m"}, raw) == {}
