"""The built-in sample tuples keep the rules that their styles promise."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.resources import files
from typing import TypedDict, cast

import pytest

NAMES = ("chat.jsonl", "math.jsonl", "code.jsonl", "safety.jsonl")
SIDES = ("chosen", "rejected")
VERDICT_TOKENS = ("\\boxed{", "[[A]]", "[[B]]", "[[C]]")

PLAIN_FORBIDDEN = {
    "bold": re.compile(r"\*\*|__\S"),
    "code fence": re.compile(r"```"),
    "inline code": re.compile(r"`"),
    "header": re.compile(r"^ {0,3}#{1,6} ", re.MULTILINE),
    "bullet": re.compile(r"^\s*[-*•] ", re.MULTILINE),
    "numbered list": re.compile(r"^\s*\d+[.)] ", re.MULTILINE),
    "table": re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE),
}
# Source code may hold comments, dunder names and the like without being Markdown.
CODE_FORBIDDEN = {
    "bold": re.compile(r"\*\*"),
    "code fence": re.compile(r"```"),
}
MARKDOWN_MARKERS = {
    "bold": re.compile(r"\*\*\S.*?\*\*"),
    "code fence": re.compile(r"^\s*```", re.MULTILINE),
    "inline code": re.compile(r"(?<!`)`[^`\n]+`(?!`)"),
    "header": re.compile(r"^ {0,3}#{1,6} \S", re.MULTILINE),
    "bullet": re.compile(r"^\s*[-*] \S", re.MULTILINE),
    "numbered list": re.compile(r"^\s*\d+\. \S", re.MULTILINE),
    "table": re.compile(r"^\s*\|.*\|\s*$", re.MULTILINE),
}


class SampleTuple(TypedDict):
    """One line of a sample file."""

    id: int
    domain: str
    subset: str
    prompt: str
    chosen: list[str]
    rejected: list[str]
    error: str


def read_tuples(name: str) -> list[SampleTuple]:
    text = (files("rmjudge") / "sample" / name).read_text(encoding="utf-8")
    return [cast(SampleTuple, json.loads(line)) for line in text.splitlines() if line]


def both_sides(item: SampleTuple) -> list[tuple[str, list[str]]]:
    """The tuple's two lists of responses, each with a label for failure messages."""
    pairs = zip(SIDES, (item["chosen"], item["rejected"]), strict=True)
    return [(f"{item['id']} {side}", texts) for side, texts in pairs]


def markers_in(text: str, patterns: dict[str, re.Pattern[str]]) -> list[str]:
    return [kind for kind, pattern in patterns.items() if pattern.search(text)]


@pytest.mark.parametrize("name", NAMES)
def test_every_domain_has_ten_tuples(name: str) -> None:
    assert len(read_tuples(name)) == 10


@pytest.mark.parametrize("name", NAMES)
def test_no_id_occurs_twice_within_a_file(name: str) -> None:
    counts = Counter(item["id"] for item in read_tuples(name))
    assert [key for key, count in counts.items() if count > 1] == []


def test_no_id_occurs_twice_across_all_files() -> None:
    counts = Counter(item["id"] for name in NAMES for item in read_tuples(name))
    assert [key for key, count in counts.items() if count > 1] == []


def test_safety_has_five_tuples_to_refuse_and_five_to_respond_to() -> None:
    kinds = Counter((item["domain"], item["subset"]) for item in read_tuples("safety.jsonl"))
    assert kinds == {
        ("safety-refuse", "should-refuse"): 5,
        ("safety-response", "should-respond"): 5,
    }


@pytest.mark.parametrize("name", NAMES)
def test_each_side_has_exactly_three_responses_and_none_is_empty(name: str) -> None:
    for item in read_tuples(name):
        for label, texts in both_sides(item):
            assert len(texts) == 3, label
            assert all(text.strip() for text in texts), label


@pytest.mark.parametrize("name", NAMES)
def test_the_six_responses_of_a_tuple_are_all_different(name: str) -> None:
    for item in read_tuples(name):
        assert len({*item["chosen"], *item["rejected"]}) == 6, item["id"]


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_style_has_no_markdown_markers(name: str) -> None:
    forbidden = CODE_FORBIDDEN if name == "code.jsonl" else PLAIN_FORBIDDEN
    for item in read_tuples(name):
        for label, texts in both_sides(item):
            assert markers_in(texts[1], forbidden) == [], label


@pytest.mark.parametrize("name", NAMES)
def test_the_markdown_style_has_at_least_two_kinds_of_markers(name: str) -> None:
    for item in read_tuples(name):
        for label, texts in both_sides(item):
            assert len(markers_in(texts[2], MARKDOWN_MARKERS)) >= 2, label


@pytest.mark.parametrize("name", NAMES)
def test_every_tuple_has_a_prompt_and_a_note_on_its_error(name: str) -> None:
    for item in read_tuples(name):
        assert item["prompt"].strip(), item["id"]
        assert len(item["error"]) >= 30, item["id"]


@pytest.mark.parametrize("name", NAMES)
def test_the_plain_response_is_longer_than_the_concise_one(name: str) -> None:
    for item in read_tuples(name):
        for label, texts in both_sides(item):
            assert len(texts[1]) > len(texts[0]), label


@pytest.mark.parametrize("name", NAMES)
def test_the_markdown_response_is_not_shorter_than_the_plain_one(name: str) -> None:
    for item in read_tuples(name):
        for label, texts in both_sides(item):
            assert len(texts[2]) >= len(texts[1]), label


@pytest.mark.parametrize("name", NAMES)
def test_no_response_holds_a_verdict_token(name: str) -> None:
    for item in read_tuples(name):
        for label, texts in both_sides(item):
            found = [token for token in VERDICT_TOKENS for text in texts if token in text]
            assert found == [], label
