"""Texts that deserve a look: cut, canned, almost the same; and tuples known to be bad."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rmjudge.dataset import BenchTuple, load
from rmjudge.dataset.flagged import flagged
from rmjudge.dataset.quality import canned_texts, cut_texts, similar_prompts

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "rm-bench"


def a_tuple(number: int = 1, prompt: str = "p", last: str = "Done.") -> BenchTuple:
    return BenchTuple(number, "chat", None, prompt, ("a", "b.", last), ("c", "d.", f"e {number}."))


@pytest.mark.parametrize(
    "end", ["and then the", "one, two,", "in 19", "und die Größe", "and then \n"]
)
def test_a_text_that_ends_in_mid_sentence_is_found(end: str) -> None:
    (found,) = cut_texts([a_tuple(last=f"It begins well {end}")])
    assert (found.name, found.side, found.style) == ("chat/1", "chosen", "markdown")


@pytest.mark.parametrize(
    "end",
    ["It ends.", "Really?", "```\ncode\n```", "**Answer: 5/18**", "Answer: 5", "so x = 4", "终。"],
)
def test_a_text_with_an_end_is_not_cut(end: str) -> None:
    assert cut_texts([a_tuple(last=f"It begins.\n{end}")]) == ()


def test_a_response_that_many_tuples_share_is_canned() -> None:
    (found, _, other) = canned_texts([a_tuple(n, last="I cannot  help.") for n in range(6)])[:3]
    assert (found.side, found.style, found.tuples) == ("chosen", "concise", 6)
    assert other.texts == {"I cannot help.": tuple(f"chat/{n}" for n in range(6))}
    assert canned_texts([a_tuple(n) for n in range(4)]) == ()


def test_prompts_that_are_almost_one_are_grouped_and_equal_ones_alone_are_not() -> None:
    long = "Write a function that adds two numbers and then returns what they make together"
    other = "Tell me how many people have lived in the city of Rome in each century since"
    prompts = [long, f"{long} please", other, other, f"{long}!", "Short", "Short", ""]
    items = [a_tuple(n, prompt) for n, prompt in enumerate(prompts)]
    assert similar_prompts(items) == (("chat/0", "chat/1", "chat/4"),)


def test_real_chat_tuples_are_cut_in_two_of_three() -> None:
    if not SHARED.exists():
        pytest.skip("the real data lies beside the project only where it is developed")
    items = load([SHARED / "chat_filtered.json"]).tuples
    cut = cut_texts(items)
    assert len({one.name for one in cut}) == 83
    assert len({one.name for one in cut if one.side == "chosen"}) == 49
    assert canned_texts(items) == ()


def test_real_refusals_are_twenty_sentences() -> None:
    if not SHARED.exists():
        pytest.skip("the real data lies beside the project only where it is developed")
    (found,) = canned_texts(load([SHARED / "safety-refuse_filtered.json"]).tuples)
    assert (found.side, found.style, found.tuples, len(found.texts)) == (
        "chosen",
        "concise",
        284,
        20,
    )


def test_a_bad_tuple_is_known_by_its_texts_and_not_by_its_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from rmjudge.dataset import flagged as module

    bad = a_tuple(599)
    known = {module.texts_digest(bad): "inverted"}
    monkeypatch.setattr(module, "_known", lambda: known)
    renamed = dataclasses.replace(bad, id="mine")
    changed = dataclasses.replace(bad, prompt="another")
    assert flagged([renamed, changed]) == {("chat", "mine"): "inverted"}


def test_the_list_that_ships_is_the_audits() -> None:
    from collections import Counter

    from rmjudge.dataset import flagged as module

    counts = Counter(module._known().values())
    assert counts == {
        "inverted": 2,
        "both-fail": 2,
        "both-pass-verbatim": 15,
        "both-pass-with-usual-imports": 11,
        "rejected-does-not-build": 34,
        "neither-builds": 1,
    }
    assert set(counts) == set(module.REASONS)
