"""The filters, against the same questions asked of the runs in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from rmjudge.runs.views import View

from .doing import HARD, choose, credits_by

if TYPE_CHECKING:
    from .chromium import Page

SHOWN = "document.querySelectorAll('#list li').length"


def test_all_tuples_are_listed_page_by_page(page: Page, view: View) -> None:
    assert page.run(SHOWN) == 50
    assert (
        page.run("document.getElementById('count').textContent") == "80 of 80 tuples, 1 to 50 shown"
    )
    assert choose(page) == {viewed.name for viewed in view.tuples}


def test_domain(page: Page, view: View) -> None:
    expected = {viewed.name for viewed in view.tuples if viewed.domain == "math"}
    assert choose(page, domain="math") == expected
    assert len(expected) == 20


@pytest.mark.parametrize("cells", [tuple(range(9)), HARD])
@pytest.mark.parametrize(
    ("state", "test"),
    [
        ("wrong", lambda credit: credit is not None and credit < 0.5),
        ("tie", lambda credit: credit == 0.5),
        ("unscored", lambda credit: credit is None),
    ],
)
def test_state_difficulty_and_scorer(
    page: Page, view: View, state: str, test: Callable[[Any], bool], cells: tuple[int, ...]
) -> None:
    difficulty = "hard" if cells == HARD else ""
    for scorer in (0, 2):
        expected = {
            name
            for name, own in credits_by(view, scorer).items()
            if any(test(own[cell]) for cell in cells)
        }
        assert choose(page, state=state, difficulty=difficulty, scorer=str(scorer)) == expected
    assert len(choose(page, state="", difficulty="", scorer="")) == 80


def test_any_scorer_is_every_scorer_together(page: Page, view: View) -> None:
    expected = {
        name
        for scorer in range(3)
        for name, own in credits_by(view, scorer).items()
        if any(own[cell] is not None and own[cell] < 0.5 for cell in HARD)  # type: ignore[operator]
    }
    assert choose(page, state="wrong", difficulty="hard") == expected


def test_all_right(page: Page, view: View) -> None:
    one = credits_by(view, 1)
    expected = {name for name, own in one.items() if all((own[c] or 0) > 0.5 for c in HARD)}
    assert expected
    assert choose(page, state="right", difficulty="hard", scorer="1") == expected


def test_scorers_that_disagree(page: Page, view: View) -> None:
    by_scorer = [credits_by(view, scorer) for scorer in range(3)]

    def differ(name: str) -> bool:
        cells = ([own[name][cell] or 0 for own in by_scorer] for cell in HARD)
        return any(max(found) > 0.5 > min(found) for found in cells)

    expected = {viewed.name for viewed in view.tuples if differ(viewed.name)}
    assert 0 < len(expected) < 80
    assert choose(page, state="disagree", difficulty="hard") == expected


def test_search_finds_all_words_anywhere_in_a_tuple_and_marks_them(page: Page, view: View) -> None:
    def holds(word: str) -> set[str]:
        return {
            v.name
            for v in view.tuples
            if v.item
            and word in "\n".join((v.name, v.item.prompt, *v.item.chosen, *v.item.rejected)).lower()
        }

    expected = holds("earth") & holds("why")
    assert expected
    assert choose(page, query="Earth WHY") == expected
    marked = page.run("[...document.querySelectorAll('#list mark')].map((m) => m.textContent)")
    assert set(map(str.lower, marked)) == {"earth", "why"}


@pytest.mark.parametrize("query", ["\\boxed{", "(", "[", ".*", "</script>", "-"])
def test_what_is_searched_is_no_pattern(page: Page, query: str) -> None:
    choose(page, query=query)
    assert page.complaints == []


def test_worst_first_begins_with_the_tuple_that_lost_most(page: Page, view: View) -> None:
    own = credits_by(view, 1)
    lost = {name: sum(1 - (credit or 0) for credit in row) for name, row in own.items()}
    choose(page, order="worst", scorer="1")
    page.run("refresh()")
    first = page.run("document.querySelector('#list b').textContent")
    assert lost[first] == max(lost.values())


def test_clear_brings_all_back(page: Page) -> None:
    choose(page, state="wrong", query="earth")
    page.run("document.querySelector('#filters [type=reset]').click()")
    page.wait("document.getElementById('count').textContent.startsWith('80 of 80')")


def test_filters_that_nothing_passes_say_so_and_how_to_go_on(page: Page) -> None:
    assert choose(page, query="no-such-word-anywhere") == set()
    text = "document.getElementById('count').textContent"
    assert page.run(text) == "0 of 80 tuples: nothing matches these filters; Clear shows all"
