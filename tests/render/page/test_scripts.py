"""The page's filters, addresses and news, run without a browser."""

from __future__ import annotations

import json
import random
from itertools import product
from typing import Any

import pytest
from page_scripts import made_by

FIELDS = ("query", "domain", "difficulty", "state", "scorer", "order")
CELLS = {
    "": set(range(9)),
    "easy": {3, 6, 7},
    "normal": {0, 4, 8},
    "hard": {1, 2, 5},
}
"""Cells by row: the style of the chosen; easy is where that is the fancier one."""


def drawn_tuples() -> list[dict[str, Any]]:
    """Tuples of two scorers; a cell may be without a score, a scorer without the tuple."""
    draw = random.Random(11)
    tuples: list[dict[str, Any]] = []
    for number in range(60):
        outcomes: list[Any] = [
            None
            if draw.random() < 0.1
            else {"c": [draw.choice([0, 0.5, 1, 1, 1, 1, None]) for _ in range(9)]}
            for _ in range(2)
        ]
        tuples.append({"i": number, "d": draw.choice(["chat", "math"]), "s": None, "o": outcomes})
    for outcome in tuples[0]["o"], tuples[1]["o"]:
        outcome[:] = [{"c": [1] * 9}, {"c": [1] * 9}]  # all right, or nothing would be
    return tuples


def page(tuples: list[dict[str, Any]], **fields: str) -> str:
    """A document with the page's data and the fields of its form."""
    values = {name: {"value": fields.get(name, "")} for name in FIELDS}
    index = json.dumps({"scorers": ["a", "b"], "tuples": tuples})
    return (
        f"const fields = {json.dumps(values)};\n"
        f"fields.index = {{ textContent: {json.dumps(index)} }};\n"
        "const document = { getElementById: (id) => fields[id] };"
    )


def passes(one: dict[str, Any], state: str, cells: set[int], scorer: int | None) -> bool:
    """Whether a tuple is shown, from what the choices are called on the page."""
    asked = one["o"] if scorer is None else [one["o"][scorer]]
    seen = [[outcome["c"][cell] for cell in cells] for outcome in asked if outcome is not None]
    if scorer is not None and not seen:
        return False
    credits = [credit for s in seen for credit in s]
    both = [
        [0.5 if o is None or o["c"][cell] is None else o["c"][cell] for o in one["o"]]
        for cell in cells
    ]
    return {
        "": True,
        "right": bool(seen) and all(credit is not None and credit > 0.5 for credit in credits),
        "disagree": any(min(pair) < 0.5 < max(pair) for pair in both),
        "unscored": None in credits,
        "tie": 0.5 in credits,
        "wrong": any(credit is not None and credit < 0.5 for credit in credits),
    }[state]


@pytest.mark.parametrize("state", ["", "wrong", "tie", "unscored", "right", "disagree"])
def test_the_tuples_shown_are_those_that_the_filters_name(state: str) -> None:
    tuples = drawn_tuples()
    asked = list(product(("", "chat"), CELLS, (None, 0, 1)))
    filters = [
        {"domain": domain, "difficulty": difficulty, "state": state, "scorer": scorer}
        | {"order": "", "sought": []}
        for domain, difficulty, scorer in asked
    ]
    shown = made_by(("browser.js",), f"{json.dumps(filters)}.map(select)", page(tuples))
    counts = []
    for (domain, difficulty, scorer), found in zip(asked, shown, strict=True):
        expected = [
            number
            for number, one in enumerate(tuples)
            if domain in ("", one["d"]) and passes(one, state, CELLS[difficulty], scorer)
        ]
        assert found == expected
        counts.append(len(expected))
    assert 0 < min(counts) <= max(counts) <= len(tuples)


def test_the_most_wrong_come_first_and_then_their_order_in_the_data() -> None:
    credits = [[1] * 9, [0] * 9, [0.5] * 9, [0] * 9, [None] * 9]
    tuples = [{"i": n, "d": "chat", "s": None, "o": [{"c": c}]} for n, c in enumerate(credits)]
    asked: dict[str, Any] = {
        "domain": "",
        "difficulty": "",
        "state": "",
        "scorer": None,
        "sought": [],
    }
    order = json.dumps({**asked, "order": "worst"})
    assert made_by(("browser.js",), f"select({order})", page(tuples)) == [1, 3, 2, 0, 4]


def test_every_address_leads_back_to_its_tuple_with_its_filters() -> None:
    names = ["17", "a b", "50%", "ä&x=1", "#1", "chat/8", "</script>"]
    tuples: list[dict[str, Any]] = [{"i": name, "d": "chat", "s": None, "o": []} for name in names]
    tuples += [{"i": "twice", "d": "chat", "s": None, "o": []}] * 2
    expression = "index.tuples.map((_, k) => [addressOf(k), addressed(addressOf(k))])"
    found = made_by(("browser.js",), expression, page(tuples, state="wrong", query="a b&c"))
    assert [number for _, number in found] == list(range(len(tuples)))
    assert found[0][0].startswith("#tuple=chat/17&")
    assert all("state=wrong" in address for address, _ in found)

    address = found[0][0]
    expression = f"(takeFilters({json.dumps(address)}), currentFilter())"
    taken = made_by(("browser.js",), expression, page(tuples))
    assert (taken["state"], taken["sought"]) == ("wrong", ["a", "b&c"])


@pytest.mark.parametrize(
    "address", ["#tuple=chat/none", "#tuple-99", "#tuple=-1", "#", "#tuple=1e1"]
)
def test_an_address_of_nothing_leads_nowhere(address: str) -> None:
    tuples = [{"i": 1, "d": "chat", "s": None, "o": []}]
    assert made_by(("browser.js",), f"addressed({json.dumps(address)})", page(tuples)) is None


NEWS = """
const said = [];
let reloaded = 0;
const location = { reload: () => { reloaded += 1; } };
const place = { dataset: { state: "one" }, hidden: true, replaceChildren: (...all) => {
  said.splice(0, said.length, ...all.map((one) => one.textContent)); } };
const document = { getElementById: () => place, createElement: () => ({ textContent: "" }) };
const setInterval = () => 0;
let answer;
const fetch = async () => {
  if (!answer) throw new Error();
  return { json: async () => answer };
};
"""


@pytest.mark.parametrize(
    ("answer", "reloads", "told"),
    [
        ({"state": "one", "running": ["<b>3 of 4"]}, 0, ["<b>3 of 4"]),
        ({"state": "one", "running": []}, 0, []),
        ({"state": "two", "running": ["x"]}, 1, []),
        (None, 0, ["rmjudge view has ended, or cannot be reached: this page stays as it is."]),
    ],
)
def test_a_served_page_tells_who_is_at_work_and_loads_again_with_new_results(
    answer: dict[str, Any] | None, reloads: int, told: list[str]
) -> None:
    expression = (
        f"(answer = {json.dumps(answer)}, lookForNews(place).then(() => "
        "[reloaded, said, place.hidden]))"
    )
    assert made_by(("reload.js",), expression, NEWS) == [reloads, told, not told]
