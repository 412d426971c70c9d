"""Narrow and wide, light and dark, on paper."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from rmjudge.runs.views import View

from .doing import open_tuple

if TYPE_CHECKING:
    from .chromium import Page


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
@pytest.mark.parametrize("opened", [False, True])
def test_nothing_is_wider_than_the_window(page: Page, width: int, opened: bool) -> None:
    page.emulate(width=width)
    if opened:
        open_tuple(page, 0)
    assert page.run("document.documentElement.scrollWidth <= innerWidth")


def contrast(page: Page, selector: str) -> float:
    """WCAG 2.2: (lighter + 0.05) / (darker + 0.05), of an element's text on the page's ground."""
    script = f"getComputedStyle(document.querySelector({json.dumps(selector)})).color"
    ground = page.run("getComputedStyle(document.body).backgroundColor")
    lights = []
    for colour in (page.run(script), ground):
        channels = [int(value) / 255 for value in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "selector", ["h1", ".lead", ".note", "nav a", ".easy", ".normal", ".hard", ".s0", ".s1", ".s2"]
)
def test_words_stand_out_in_light_and_dark(page: Page, scheme: str, selector: str) -> None:
    page.emulate(scheme=scheme)
    assert contrast(page, selector) >= 4.5


def test_dark_is_dark(page: Page) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        page.emulate(scheme=scheme)
        grounds.append(page.run("getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(252, 252, 250)", "rgb(21, 24, 28)"]


def test_print_is_light_without_controls_and_shows_texts_whole(page: Page) -> None:
    open_tuple(page, 0)
    page.emulate(scheme="dark", media="print")
    style = "getComputedStyle(document.querySelector({!r}))"
    assert page.run(style.format("body") + ".backgroundColor") == "rgb(255, 255, 255)"
    assert page.run(style.format("header nav") + ".display") == "none"
    assert page.run(style.format("#tuple .text") + ".maxHeight") == "none"
    assert page.printed().startswith(b"%PDF")


def test_no_table_is_cut_at_the_edge_of_the_paper(page: Page) -> None:
    page.emulate(width=718, media="print")  # A4 at 96 dots an inch, less Chromium's margins
    page.run("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
    right = "[...document.querySelectorAll('.list')].map((t) => t.getBoundingClientRect().right)"
    assert page.run(f"{right}.length") > 5
    assert page.run(f"Math.max(...{right})") <= 718


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_the_names_of_styles_are_not_broken(page: Page, width: int) -> None:
    page.emulate(width=width)
    names = "[...document.querySelectorAll('#matrices .heat th:not(.axis)')]"
    assert page.run(f"{names}.length") > 0
    lines = (
        "(th) => { const range = document.createRange(); range.selectNodeContents(th);"
        "return range.getClientRects().length; }"
    )
    assert page.run(f"Math.max(...{names}.map({lines}))") == 1
    assert page.run(f"{names}.every((th) => th.scrollWidth <= th.clientWidth + 1)")


@pytest.mark.parametrize("width", [320, 360])
def test_on_a_phone_hard_and_the_average_stay_in_sight(page: Page, width: int) -> None:
    page.emulate(width=width)
    boxes = (
        "[...document.querySelectorAll('#accuracy tr')].map((row) => {"
        "const last = row.lastElementChild;"
        "const [name, hard, average] = [row.firstElementChild, last.previousElementSibling, last]"
        ".map((cell) => cell.getBoundingClientRect());"
        "return [name.left, name.right, hard.left, hard.right, average.left, average.right]; })"
    )
    scroller = "document.querySelector('#accuracy .scroll')"
    for scrolled in (0, 60, 1000):
        page.run(f"{scroller}.scrollLeft = {scrolled}")
        for start, end, hard, hard_end, left, right in page.run(boxes):
            assert 0 <= start < end < hard < hard_end <= left + 1 < right <= width
    assert (
        page.run("document.querySelector('#accuracy thead tr').children[7].textContent") == "Hard"
    )
    assert page.run(f"{scroller}.scrollLeft") > 60


@pytest.mark.parametrize(("width", "beside"), [(1280, True), (390, False)])
def test_scorers_stand_side_by_side_where_the_screen_is_wide(
    page: Page, width: int, beside: bool
) -> None:
    page.emulate(width=width)
    boxes = page.run(
        "[...document.querySelectorAll('#matrices .scorer')].slice(0, 2)"
        ".map((one) => one.getBoundingClientRect()).map((box) => [box.left, box.right, box.top])"
    )
    (_, right, top), (left, _, other) = boxes
    assert (right <= left and top == other) is beside


def test_the_rows_are_in_the_page_once(page: Page, view: View) -> None:
    names = page.run(
        "[...document.querySelectorAll('#accuracy tbody tr:not(.quiet) th')]"
        ".map((name) => name.textContent)"
    )
    assert names == [scorer.name for scorer in view.scorers]


@pytest.mark.parametrize("width", [360, 1280])
def test_the_names_in_the_scatter_lie_inside_it_and_apart(page: Page, width: int) -> None:
    page.emulate(width=width)
    chart = "[...document.querySelectorAll('.chart')].find((c) => c.querySelector('.place'))"
    names = f"[...{chart}.querySelectorAll('.place')]"
    boxes = page.run(
        f"{names}.map((name) => name.getBoundingClientRect())"
        ".map((box) => [box.left, box.top, box.right, box.bottom])"
    )
    assert len(boxes) == 4
    (outer,) = page.run(
        f"[{chart}.querySelector('svg').getBoundingClientRect()].map((b) => [b.left, b.right])"
    )
    for left, _, right, _ in boxes:
        assert outer[0] <= left < right <= outer[1]
    for one, other in combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] + 1
        assert apart or other[3] <= one[1] + 1


def test_what_is_folded_opens_with_the_keyboard(page: Page) -> None:
    page.run("document.querySelector('#readings summary').focus()")
    table = "document.querySelector('#readings details table').checkVisibility()"
    assert not page.run(table)
    page.press("Enter")
    page.wait(table)
