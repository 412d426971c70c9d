"""Checking raw items: every problem of an item is told, with its place and what would be right."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rmjudge.dataset.checking import check_items
from rmjudge.dataset.parsing import Problem, RawItem
from rmjudge.dataset.tuples import BenchTuple
from rmjudge.vocabulary import Domain

KNOWN = "chat, math, code, safety-refuse, safety-response, safety"
TEXT = "expected a non-empty string"
THREE = "expected a list of 3 strings (concise, detailed, markdown)"
DROP = object()


def fields(**changes: Any) -> dict[str, Any]:
    """Make the fields of a sound tuple, changed; DROP leaves a field out."""
    sound = {"id": 8, "prompt": "p", "chosen": ["a", "b", "c"], "rejected": ["d", "e", "f"]}
    return {key: value for key, value in {**sound, **changes}.items() if value is not DROP}


def raw(value: object, stem: str = "chat", place: str = "chat_filtered.json[17]") -> RawItem:
    return RawItem(place, stem, value, f"{stem}.json", 18)


def problems_of(value: object, stem: str = "chat") -> list[str]:
    checked = check_items([raw(value, stem)])
    assert checked.tuples == ()
    return list(checked.problems)


def tuple_of(value: object, stem: str = "chat") -> BenchTuple:
    checked = check_items([raw(value, stem)])
    assert checked.problems == ()
    return checked.tuples[0]


def test_a_sound_item_becomes_a_tuple() -> None:
    assert tuple_of(fields(subset="alpacaeval", error="ignored")) == BenchTuple(
        8, "chat", "alpacaeval", "p", ("a", "b", "c"), ("d", "e", "f")
    )


@pytest.mark.parametrize(
    ("own", "stem", "domain", "subset"),
    [
        (DROP, "chat", "chat", None),
        (None, "code", "code", None),
        ("math", "total_dataset", "math", None),
        ("math", "chat", "math", None),
        (DROP, "safety-refuse", "safety", "safety-refuse"),
        ("safety-response", "total_dataset", "safety", "safety-response"),
        ("safety", "mine", "safety", None),
    ],
)
def test_the_domain_is_the_items_own_else_its_files(
    own: object, stem: str, domain: Domain, subset: str | None
) -> None:
    item = tuple_of(fields(domain=own), stem)
    assert (item.domain, item.subset) == (domain, subset)


def test_the_own_subset_of_a_safety_tuple_is_kept() -> None:
    assert tuple_of(fields(subset="xstest"), "safety-refuse").subset == "xstest"


@pytest.mark.parametrize("subset", [None, ""])
def test_an_empty_subset_is_no_subset(subset: str | None) -> None:
    assert tuple_of(fields(subset=subset)).subset is None


def test_an_id_may_be_a_text() -> None:
    assert tuple_of(fields(id="chat-0001")).name == "chat/chat-0001"


def test_equal_texts_and_white_space_in_responses_are_kept_as_they_are() -> None:
    item = tuple_of(fields(chosen=["a\n", "a\n", " "]))
    assert item.chosen == ("a\n", "a\n", " ")


OWN = (
    "it has at most 32 letters, digits, _, . or -, the first a letter or digit, and is none of "
    "all, any, average, none, overall"
)
WRONG_ID = "expected an integer or a non-empty string"
BAD_ITEMS = [
    pytest.param({"id": None}, f": id is null; {WRONG_ID}", id="null id"),
    pytest.param({"id": True}, f": id is a boolean; {WRONG_ID}", id="bool id"),
    pytest.param({"id": 8.0}, f": id is a number; {WRONG_ID}", id="float id"),
    pytest.param({"id": " "}, f": id is empty; {WRONG_ID}", id="blank id"),
    pytest.param({"id": ["8"]}, f": id is a list; {WRONG_ID}", id="list id"),
    pytest.param(
        {"id": "a\x1b[2J"}, r": id 'a\x1b[2J' has characters that cannot be printed", id="ESC id"
    ),
    pytest.param(
        {"id": "\ud800"},
        r": id '\ud800' has characters that cannot be printed",
        id="surrogate id",
    ),
    pytest.param({"prompt": DROP}, f" tuple 8: prompt is missing; {TEXT}", id="no prompt"),
    pytest.param({"prompt": 3}, f" tuple 8: prompt is a number; {TEXT}", id="number prompt"),
    pytest.param({"prompt": ""}, f" tuple 8: prompt is empty; {TEXT}", id="empty prompt"),
    pytest.param(
        {"prompt": " \n"}, f" tuple 8: prompt is only white space; {TEXT}", id="blank prompt"
    ),
    pytest.param({"chosen": DROP}, f" tuple 8: chosen is missing; {THREE}", id="no chosen"),
    pytest.param({"rejected": None}, f" tuple 8: rejected is null; {THREE}", id="null rejected"),
    pytest.param({"rejected": {}}, f" tuple 8: rejected is an object; {THREE}", id="object"),
    pytest.param({"rejected": "abc"}, f" tuple 8: rejected is a string; {THREE}", id="one text"),
    pytest.param({"chosen": []}, f" tuple 8: chosen has 0 responses; {THREE}", id="none"),
    pytest.param({"rejected": ["a"]}, f" tuple 8: rejected has 1 response; {THREE}", id="one"),
    pytest.param(
        {"rejected": list("abcd")}, f" tuple 8: rejected has 4 responses; {THREE}", id="four"
    ),
    pytest.param(
        {"chosen": ["a", None, "c"]},
        f" tuple 8: chosen[1] (detailed) is null; {TEXT}",
        id="null text",
    ),
    pytest.param(
        {"rejected": ["", "b", "c"]},
        f" tuple 8: rejected[0] (concise) is empty; {TEXT}",
        id="empty text",
    ),
    pytest.param(
        {"rejected": ["a", "b", 3]},
        f" tuple 8: rejected[2] (markdown) is a number; {TEXT}",
        id="number text",
    ),
    pytest.param(
        {"domain": "Chat"}, " tuple 8: domain 'Chat' is unknown; write chat", id="Chat domain"
    ),
    *(
        pytest.param(
            {"domain": name},
            f" tuple 8: domain {name!r} cannot be one; {OWN}",
            id=f"{name!r} domain",
        )
        for name in ("", "two words", "a/b", "-x", "all", "x" * 33)
    ),
    pytest.param(
        {"domain": 7},
        f" tuple 8: domain is a number; expected one of {KNOWN}, or a name of your own",
        id="number domain",
    ),
    pytest.param(
        {"subset": 5},
        " tuple 8: subset is a number; expected a string, or no subset",
        id="number subset",
    ),
    pytest.param(
        {"id": "x", "prompt": ""}, f" tuple 'x': prompt is empty; {TEXT}", id="text id is quoted"
    ),
]


@pytest.mark.parametrize(("changes", "told"), BAD_ITEMS)
def test_what_is_wrong_with_an_item_is_told_with_its_place(
    changes: dict[str, Any], told: str
) -> None:
    (problem,) = problems_of(fields(**changes))
    assert problem == f"chat_filtered.json[17]{told}"


def test_a_missing_domain_says_what_to_do() -> None:
    assert problems_of(fields(), "mine") == [
        "chat_filtered.json[17] tuple 8: domain is missing, and the file's name does not tell it; "
        f'add "domain", one of {KNOWN} or a name of your own, or name the file like '
        "chat_filtered.json"
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, "null"),
        (False, "a boolean"),
        (1.5, "a number"),
        ("text", "a string"),
        ([], "a list"),
    ],
)
def test_an_item_that_is_no_object_is_told(value: object, kind: str) -> None:
    assert problems_of(value) == [f"chat_filtered.json[17]: expected an object, found {kind}"]


def test_all_problems_of_an_item_are_told_at_once() -> None:
    problems = problems_of(
        {"id": None, "domain": "CHAT", "prompt": "", "chosen": [None, "b", ""], "subset": 1}
    )
    told = [line.removeprefix("chat_filtered.json[17]: ") for line in problems]
    assert [line.split(" is ")[0] for line in told] == [
        "id",
        "domain 'CHAT'",
        "subset",
        "prompt",
        "chosen[0] (concise)",
        "chosen[2] (markdown)",
        "rejected",
    ]


def test_sound_items_among_bad_ones_are_still_checked() -> None:
    checked = check_items([raw(1), Problem("y.json: is empty"), raw(fields())])
    assert [item.id for item in checked.tuples] == [8]
    assert checked.problems[1] == "y.json: is empty"
    assert len(checked.problems) == 2


def test_an_id_that_occurs_twice_in_its_domain_is_told_with_both_places() -> None:
    items = [raw(fields(), place="a.json[1]"), raw(fields(), place="b.jsonl:9")]
    assert check_items(items).problems == (
        "b.jsonl:9 tuple 8: the id is already taken in domain chat by a.json[1]; "
        "every tuple needs its own",
    )


def test_an_id_may_occur_in_two_domains() -> None:
    checked = check_items([raw(fields(), "chat"), raw(fields(), "code", "c.json[0]")])
    assert [item.name for item in checked.tuples] == ["chat/8", "code/8"]


def test_refuse_and_response_are_one_domain_for_ids() -> None:
    items = [raw(fields(), "safety-refuse", "a.json[0]"), raw(fields(), "safety-response")]
    assert "already taken in domain safety by a.json[0]" in check_items(items).problems[0]


def test_a_number_and_the_same_digits_as_text_are_one_id() -> None:
    items = [raw(fields(id=8)), raw(fields(id="8"), place="b.json[0]")]
    assert len(check_items(items).problems) == 1


def test_an_id_taken_by_a_broken_tuple_is_taken() -> None:
    items = [raw(fields(prompt="")), raw(fields(), place="b.json[0]")]
    assert len(check_items(items).problems) == 2


@pytest.mark.parametrize("text", ["x" * 10_000, "\x1b]0;owned\x07", "\u202e\u2066", "a\nb\rc"])
def test_quoted_text_is_short_and_free_of_control_characters(text: str) -> None:
    (problem,) = problems_of(fields(domain=text))
    assert problem.isprintable()
    assert len(problem) < 220


def test_an_endless_integer_id_is_shortened() -> None:
    (problem,) = problems_of(json.loads(json.dumps(fields(id=10**4000, prompt=""))))
    assert problem.startswith("chat_filtered.json[17] tuple 10000000000000000...: prompt")


def test_a_domain_of_ones_own_counts_by_itself() -> None:
    checked = check_items([raw(fields(domain="finance")), raw(fields(domain="legal.eu"))])
    assert [one.name for one in checked.tuples] == ["finance/8", "legal.eu/8"]
    assert {one.subset for one in checked.tuples} == {None}


def test_without_an_id_the_line_is_the_id() -> None:
    (checked,) = check_items([raw(fields(id=DROP))]).tuples
    assert checked.id == 18


def test_an_id_of_the_total_file_is_the_id_of_the_domains_file() -> None:
    found = [fields(id="chat/8", domain="chat"), fields(id="safety/9", domain="safety-refuse")]
    found += [fields(id="safety-refuse/10", domain="safety-refuse"), fields(id=3, domain="chat")]
    checked = check_items(map(raw, found))
    assert [one.name for one in checked.tuples] == ["chat/8", "safety/9", "safety/10", "chat/3"]
    assert checked.with_domain == ("chat/8", "safety/9", "safety/10")


PREFERENCE = "pairs (one chosen and one rejected response)"
TURNS = [{"role": "user", "content": "q"}]


@pytest.mark.parametrize(
    ("foreign", "layout"),
    [
        ({"prompt": "p", "chosen": "a", "rejected": "b"}, PREFERENCE),
        ({"prompt": "p", "chosen": TURNS, "rejected": TURNS}, PREFERENCE),
        ({"prompt": "p", "chosen": ["a"], "rejected": ["b"]}, PREFERENCE),
        (
            {"prompt": "p", "chosen": ["a"], "rejected": ["b", "c", "d"]},
            "one chosen against 3 rejected responses",
        ),
        (
            {"prompt": "p", "chosen": "a", "rejected": ["b", "c"]},
            "one chosen against 2 rejected responses",
        ),
        (
            {"question": "q", "response_A": "a", "response_B": "b", "label": "A>B"},
            "pairs ('response_A' and 'response_B')",
        ),
        (
            {"input": "q", "output_1": "a", "output_2": "b", "label": 1},
            "pairs ('output_1' and 'output_2')",
        ),
        (
            {"problem": "q", "eval_solution_A": ["a"], "eval_solution_B": ["b"]},
            "pairs ('eval_solution_A' and 'eval_solution_B')",
        ),
        ({"messages": TURNS}, "conversations"),
        (
            {"problem": "q", "eval_solution": ["a", "b"]},
            "of another layout (with 'problem', 'eval_solution', without chosen and rejected)",
        ),
    ],
)
def test_a_foreign_layout_is_told_once_for_its_file(
    foreign: dict[str, object], layout: str
) -> None:
    (told,) = check_items([raw(foreign), raw(foreign)]).problems
    assert told.startswith(f"chat.json: 2 items are {layout}, no RM-Bench tuples; ")
    assert "rmjudge data new FILE" in told


@pytest.mark.parametrize(
    ("foreign", "advice"),
    [
        (
            {"prompt": "p", "chosen": "a", "rejected": ["b", "c"]},
            '; --as FILE.toml reads such a file, where a few lines describe it, with kind = "best"',
        ),
        (
            {"q": "?", "answer_a": "a", "answer_b": "b", "winner": "a"},
            "where a few lines describe it, with responses and label",
        ),
        ({"question": "q", "good": "a", "bad": "b"}, "--map, as in --map chosen=good"),
    ],
)
def test_a_foreign_layout_that_can_be_described_is_told_how(
    foreign: dict[str, object], advice: str
) -> None:
    (told,) = check_items([raw(foreign)]).problems
    assert told.endswith(advice)


def test_a_list_on_one_line_belongs_in_a_json_file() -> None:
    (told,) = check_items([raw([fields()])]).problems
    assert told.endswith(
        "expected an object, found a list; a list of tuples belongs in a .json file"
    )
