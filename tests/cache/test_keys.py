"""Keys: exactly what changes an answer, the same in every process, on every day."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from rmjudge.cache.keys import answer_row, call_key, canonical, identity_row, scorer_key
from rmjudge.calls import CompareCall, Json, RewardCall
from rmjudge.store import key_fields

IDENTITY: dict[str, Json] = {
    "provider": "openai",
    "model": "judge-ü",
    "params": {"temperature": 0, "stop": ["\n"]},
    "template": None,
}


def test_a_key_never_changes_between_versions() -> None:
    # Change one of these literals and every answer that users have paid for is lost.
    assert scorer_key(IDENTITY) == "c24e18debdfc32034419ffc6df42c37d"
    assert call_key(("reward", "prompt", "response \ud800\0")) == "b487d6d4b27c16fb8e54ea64e91ef3b9"
    assert answer_row("a1", "b2") == "a:a1:b2"
    assert identity_row("a1") == "s:a1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("ab",), ("a", "b")),
        (("", "a"), ("a", "")),
        (("a",), ("a", "")),
        (("a\0b",), ("a", "b")),
        ((), ("",)),
    ],
    ids=repr,
)
def test_the_boundaries_of_texts_count(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert call_key(one) != call_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "a "),
        ("a\n", "a\r\n"),
        ("é", "e\u0301"),
        ("\ud800", "?"),
        ("\ud800", "\ud801"),
        ("\ud83d\ude00", "\U0001f600"),
    ],
    ids=ascii,
)
def test_texts_that_only_look_alike_are_other_calls(one: str, other: str) -> None:
    assert call_key((one,)) != call_key((other,))


def test_a_swapped_comparison_is_another_call() -> None:
    there = CompareCall("prompt", "one", "two")
    back = CompareCall("prompt", "two", "one")

    assert call_key(key_fields(there)) != call_key(key_fields(back))


def test_a_reward_and_a_comparison_of_the_same_texts_are_different_calls() -> None:
    assert key_fields(RewardCall("reward", "a")) != key_fields(CompareCall("reward", "a", ""))
    assert call_key(key_fields(RewardCall("p", "a"))) != call_key(
        key_fields(CompareCall("p", "a", ""))
    )


def test_the_order_of_an_identity_s_parts_does_not_count() -> None:
    turned = dict(reversed(IDENTITY.items()))

    assert list(turned) != list(IDENTITY)
    assert scorer_key(turned) == scorer_key(IDENTITY)


@pytest.mark.parametrize("part", IDENTITY)
def test_every_part_of_an_identity_counts(part: str) -> None:
    assert scorer_key({**IDENTITY, part: "another"}) != scorer_key(IDENTITY)
    assert scorer_key({k: v for k, v in IDENTITY.items() if k != part}) != scorer_key(IDENTITY)


def test_an_identity_is_written_down_in_ascii() -> None:
    assert canonical({"b": "ü\ud800", "a": 1}) == '{"a":1,"b":"\\u00fc\\ud800"}'


def test_an_identity_that_is_no_json_has_no_key() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        scorer_key({"temperature": float("nan")})


@pytest.mark.parametrize("seed", ["0", "1"])
def test_another_process_makes_the_same_keys(seed: str) -> None:
    code = (
        "from rmjudge.cache.keys import call_key, scorer_key\n"
        "print(scorer_key({'b': [1, None], 'a': 'x'}), call_key(('reward', 'p', 'r')))"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [scorer_key({"a": "x", "b": [1, None]}), call_key(("reward", "p", "r"))]

    assert made.stdout.split() == here
