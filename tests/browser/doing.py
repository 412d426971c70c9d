"""What tests do with the page, and what they expect of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rmjudge.runs.views import View

if TYPE_CHECKING:
    from .chromium import Page

HARD = (1, 2, 5)
MOST_PAGES = 9
NEXT = "[...document.querySelectorAll('#pages button')].find((b) => b.textContent === 'Next')"


def choose(page: Page, **fields: str) -> set[str]:
    """Set filters as a user does; return the names of all tuples that pass."""
    for name, value in fields.items():
        page.run(
            f"(() => {{ const field = document.getElementById({json.dumps(name)});"
            f"field.value = {json.dumps(value)};"
            "field.dispatchEvent(new Event('input', {bubbles: true})); })()"
        )
    page.run("new Promise((done) => setTimeout(done, 200))")
    names: set[str] = set()
    for _ in range(MOST_PAGES):
        names |= set(
            page.run("[...document.querySelectorAll('#list b')].map((b) => b.textContent)")
        )
        if not page.run(f"Boolean({NEXT}) && !{NEXT}.disabled"):
            return names
        page.run(f"{NEXT}.click()")
    raise AssertionError("there is always another page")


def open_tuple(page: Page, number: int) -> None:
    page.run(f"location.hash = 'tuple-{number}'")
    page.wait("!document.getElementById('tuple').hidden && document.querySelector('#said li')")


def credits_by(view: View, scorer: int) -> dict[str, list[float | None]]:
    found: dict[str, list[float | None]] = {}
    for viewed in view.tuples:
        outcome = viewed.outcomes[scorer]
        assert outcome is not None
        found[viewed.name] = [credit for row in outcome.credits for credit in row]
    return found
