"""The summary of a data set: counts, lengths, and what deserves a look."""

from __future__ import annotations

from pathlib import Path

import pytest

from rmjudge.dataset import BenchTuple, DataSet, load, summarise
from rmjudge.dataset.summary import Flag, Lengths, Repeat
from rmjudge.dataset.tuples import Triple
from rmjudge.judging.tokens import carries_verdict_token
from rmjudge.vocabulary import STYLES, Domain

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data" / "rm-bench"
needs_published = pytest.mark.skipif(
    not (PUBLISHED / "chat_filtered.json").exists(),
    reason=f"the published files are not at {PUBLISHED}",
)
ABC: Triple = ("a", "bb", "ccc")
DEF: Triple = ("d", "ee", "fff")


def one(
    number: int = 1,
    *,
    domain: Domain = "chat",
    subset: str | None = None,
    prompt: str = "p",
    chosen: Triple = ABC,
    rejected: Triple = DEF,
) -> BenchTuple:
    return BenchTuple(number, domain, subset, prompt, chosen, rejected)


def data(*tuples: BenchTuple) -> DataSet:
    return DataSet("test", tuples)


def test_tuples_are_counted_by_domain_in_the_benchmarks_order() -> None:
    summary = summarise(data(one(1, domain="safety"), one(2), one(3, domain="safety")))
    assert summary.tuples == 3
    assert list(summary.domains.items()) == [("chat", 1), ("safety", 2)]


def test_tuples_are_counted_by_domain_and_subset() -> None:
    summary = summarise(data(one(1, subset="x"), one(2, domain="code", subset="x"), one(3)))
    assert summary.subsets == {("chat", "x"): 1, ("code", "x"): 1, ("chat", None): 1}


def test_lengths_are_characters_by_side_and_style() -> None:
    summary = summarise(data(one(1), one(2, chosen=("äöü", "", "ccc"))))
    assert list(summary.chosen_lengths) == list(STYLES)
    assert summary.chosen_lengths["concise"] == Lengths(2.0, 1, 3)
    assert summary.chosen_lengths["detailed"] == Lengths(1.0, 0, 2)
    assert summary.rejected_lengths["markdown"] == Lengths(3.0, 3, 3)


def test_a_tuple_of_six_texts_repeats_nothing() -> None:
    assert summarise(data(one())).repeats == ()


def test_equal_texts_of_a_tuple_are_told_by_their_fields() -> None:
    summary = summarise(data(one(7, rejected=("d", "d", "f"))))
    assert summary.repeats == (Repeat("chat/7", "chat", "rejected concise", "rejected detailed"),)
    assert summary.chosen_equals_rejected == ()


def test_three_equal_texts_are_three_pairs() -> None:
    assert len(summarise(data(one(chosen=("a", "a", "a")))).repeats) == 3


def test_a_chosen_text_that_equals_a_rejected_one_is_told() -> None:
    repeat = Repeat("chat/1", "chat", "chosen markdown", "rejected concise")
    summary = summarise(data(one(chosen=("a", "b", "d"))))
    assert summary.chosen_equals_rejected == (repeat,)


def test_repeats_are_counted_by_domain_and_pair() -> None:
    same: Triple = ("a", "a", "c")
    summary = summarise(data(one(1, chosen=same), one(2, chosen=same), one(3)))
    assert summary.repeats_by_pair == {("chat", "chosen concise", "chosen detailed"): 2}


def test_texts_of_different_tuples_are_no_repeat() -> None:
    assert summarise(data(one(1), one(2))).repeats == ()


def test_a_response_that_equals_the_prompt_is_no_repeat() -> None:
    assert summarise(data(one(prompt="a"))).repeats == ()


def test_prompts_that_occur_again_are_told_with_all_their_tuples() -> None:
    summary = summarise(data(one(1), one(2, prompt="q"), one(3), one(1, domain="code")))
    assert summary.repeated_prompts == (("chat/1", "chat/3", "code/1"),)


TOKENS = [
    r"so \boxed{A>B}",
    r"\boxed {7}",
    r"\BOXED{a}",
    "[[A]]",
    "[[B]]",
    "[[C]]",
    "[[ a ]]",
    "<think>",
    "</think>",
]


@pytest.mark.parametrize("text", TOKENS)
def test_a_text_with_a_verdict_token_is_recognised(text: str) -> None:
    assert carries_verdict_token(f"before {text} after")


@pytest.mark.parametrize("text", ["", "boxed{A}", "[A]", "[[D]]", "[[AB]]", "I think", r"\box{A}"])
def test_a_text_without_a_verdict_token_is_left_alone(text: str) -> None:
    assert not carries_verdict_token(text)


def test_verdict_tokens_are_told_by_tuple_and_field() -> None:
    summary = summarise(data(one(1), one(2, prompt="[[A]]", rejected=("d", "e", r"\boxed{B}"))))
    assert summary.verdict_tokens == (
        Flag("chat/2", "prompt"),
        Flag("chat/2", "rejected markdown"),
    )


def test_lone_surrogates_are_told() -> None:
    summary = summarise(data(one(chosen=("a", "\ud83d", "\U0001f600"))))
    assert summary.lone_surrogates == (Flag("chat/1", "chosen detailed"),)


def test_nul_characters_are_told() -> None:
    assert summarise(data(one(prompt="a\0b"))).nul_characters == (Flag("chat/1", "prompt"),)


def test_responses_of_white_space_alone_are_told() -> None:
    summary = summarise(data(one(rejected=(" \n", "e", "f"))))
    assert summary.blank_responses == (Flag("chat/1", "rejected concise"),)


def test_an_empty_data_set_has_no_summary() -> None:
    with pytest.raises(ValueError, match="empty"):
        summarise(data())


def test_the_sample_has_no_text_that_deserves_a_look() -> None:
    summary = summarise(load(["sample"]))
    assert summary.chosen_equals_rejected == ()
    assert summary.repeated_prompts == ()
    assert summary.lone_surrogates == summary.nul_characters == summary.blank_responses == ()


@needs_published
def test_the_published_chat_tuples_have_their_known_traps() -> None:
    summary = summarise(load([PUBLISHED / "chat_filtered.json"]))
    assert summary.tuples == 129
    assert summary.repeats_by_pair["chat", "chosen detailed", "chosen markdown"] == 12
    assert len(summary.verdict_tokens) == 1
    assert summary.chosen_equals_rejected == ()


@needs_published
def test_the_published_refusals_have_their_known_traps() -> None:
    summary = summarise(load([PUBLISHED / "safety-refuse_filtered.json"]))
    assert summary.tuples == 284
    assert summary.repeats_by_pair["safety", "rejected concise", "rejected detailed"] == 11
    assert [len(group) for group in summary.repeated_prompts] == [2, 2]
