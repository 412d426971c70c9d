"""One tuple: its texts, its cells, its words, and the keys that lead through."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rmjudge.runs.views import View

from .doing import choose, credits_by, open_tuple

if TYPE_CHECKING:
    from .chromium import Page


def test_a_tuple_shows_its_texts_scores_and_words(page: Page, view: View) -> None:
    open_tuple(page, 3)
    item = view.tuples[3].item
    assert item is not None
    texts = page.run("[...document.querySelectorAll('#tuple .text')].map((t) => t.textContent)")
    assert texts[:7] == [item.prompt, *item.chosen, *item.rejected]
    grids = page.run(
        "[...document.querySelectorAll('#tuple .heat')].map((g) => "
        "[...g.querySelectorAll('button')].map((b) => b.textContent))"
    )
    for scorer, shown in enumerate(grids):
        # Half a percent goes up in a browser, to the even in Python: quarters have none.
        expected = credits_by(view, scorer)[view.tuples[3].name]
        assert shown == [f"{100 * (credit or 0):.0f}" for credit in expected]


def test_no_heading_of_a_grid_runs_into_the_next(page: Page) -> None:
    for width in (1280, 360):
        page.emulate(width=width)
        open_tuple(page, 3)
        headings = page.run(
            "[...document.querySelectorAll('#tuple .heat thead th')].map((h) => "
            "[h.textContent, h.scrollWidth, h.clientWidth])"
        )
        assert len(headings) == 3 * 5
        assert [told for told in headings if told[1] > told[2]] == []


def test_that_cells_can_be_pressed_is_said(page: Page) -> None:
    open_tuple(page, 3)
    notes = page.run("[...document.querySelectorAll('#tuple .note')].map((n) => n.textContent)")
    assert "Press a cell for its pair and the judges\u2019 words." in notes


def test_the_words_are_those_about_the_cell_that_is_pressed(page: Page, view: View) -> None:
    open_tuple(page, 70)
    outcome = view.tuples[70].outcomes[0]
    assert outcome is not None
    for cell in (0, 5, 7):
        page.run(f"document.querySelector('#tuple [data-cell=\"{cell}\"]').click()")
        page.wait(f"document.querySelector('[data-cell=\"{cell}\"]').ariaPressed === 'true'")
        page.run("new Promise((done) => setTimeout(done, 100))")
        expected = [s.text for s in outcome.statements if (s.chosen, s.rejected) == divmod(cell, 3)]
        shown = page.run("[...document.querySelectorAll('#said .text')].map((t) => t.textContent)")
        assert shown == expected
        assert len(shown) == 2
        marked = page.run(
            "[...document.querySelectorAll('.marked')].map((m) => "
            "[m.dataset.side, m.dataset.style])"
        )
        assert marked == [["0", str(cell // 3)], ["1", str(cell % 3)]]


def test_the_keyboard_alone_opens_turns_and_returns(page: Page, view: View) -> None:
    first, second = (f"#tuple={viewed.name}" for viewed in view.tuples[:2])
    page.press("/")
    assert page.run("document.activeElement.id") == "query"
    page.run("document.querySelector('#list a').focus()")
    page.press("Enter")
    # The address changes before the tuple is shown, and keys are for what is shown.
    page.wait(f"document.querySelector('#tuple a[data-key=ArrowRight][href=\"{second}\"]')")
    page.press("ArrowRight")
    page.wait(f"document.querySelector('#tuple a[data-key=ArrowLeft][href=\"{first}\"]')")
    page.press("ArrowLeft")
    page.wait(f"document.querySelector('#tuple a[data-key=ArrowRight][href=\"{second}\"]')")
    page.press("Escape")
    page.wait("!document.getElementById('browser').hidden")
    assert page.run("document.activeElement.getAttribute('href')") == first


def test_next_goes_through_what_was_filtered(page: Page) -> None:
    choose(page, domain="code")
    page.run("document.querySelector('#list a').click()")
    page.wait("open !== null")
    first = page.run("document.querySelector('#tuple h3').textContent")
    page.run("document.querySelector('[data-key=ArrowRight]').click()")
    page.wait(f"document.querySelector('#tuple h3').textContent !== {json.dumps(first)}")
    assert page.run("document.querySelector('#tuple h3').textContent").startswith("code/")


def test_the_difference_of_the_pressed_pair_is_marked(page: Page, view: View) -> None:
    open_tuple(page, 3)
    item = view.tuples[3].item
    assert item is not None
    for cell in (0, 5):
        page.run(f"document.querySelector('#tuple [data-cell=\"{cell}\"]').click()")
        pair = [item.chosen[cell // 3], item.rejected[cell % 3]]
        shown = page.run("[...document.querySelectorAll('.differs')].map((t) => t.textContent)")
        assert shown == pair
        kinds = page.run(
            "[...document.querySelectorAll('.differs')].map((t) => "
            "[...t.children].map((c) => c.tagName))"
        )
        alike = pair[0] == pair[1]
        assert ("INS" in kinds[0] or "DEL" in kinds[1]) is not alike
        assert page.run("document.getElementById('alike').hidden") is not alike


def test_on_a_phone_the_pair_stands_one_below_the_other(page: Page) -> None:
    for width, columns in ((1280, 2), (360, 1)):
        page.emulate(width=width)
        open_tuple(page, 3)
        style = "getComputedStyle(document.getElementById('difference')).gridTemplateColumns"
        assert len(page.run(style).split()) == columns


def test_an_address_has_the_tuples_name_and_the_filters(page: Page) -> None:
    choose(page, domain="code", state="wrong")
    page.wait("location.hash.includes('state=wrong')")
    assert page.run("location.hash") == "#domain=code&state=wrong"
    page.run("document.querySelector('#list a').click()")
    page.wait("open !== null")
    address = page.run("location.hash")
    name = page.run("document.querySelector('#tuple h3 span').textContent")
    assert address == f"#tuple={name}&domain=code&state=wrong"

    page.run("location.hash = '#tuple=math/nowhere&domain=math'")
    page.wait("open === null")
    assert page.run("byId('domain').value + byId('state').value") == "math"
    page.run(f"location.hash = {json.dumps(address)}")
    page.wait("open !== null")
    assert page.run("document.querySelector('#tuple h3 span').textContent") == name
    assert page.run("byId('domain').value + byId('state').value") == "codewrong"
