"""It is left alone: nothing is loaded, and no text of a model is obeyed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .doing import choose, open_tuple

if TYPE_CHECKING:
    from command import Cli

    from .chromium import Page

HOSTILE = (
    "</script><script>document.title='owned'</script>"
    "<img src=http://127.0.0.1:9/x onerror=\"document.title='owned'\">"
    " \x1b[31m \u202eabc\u2066 \x00"
)


def test_it_opens_without_a_complaint_and_asks_for_nothing(page: Page, page_home: Cli) -> None:
    open_tuple(page, 3)
    choose(page, state="wrong")
    assert page.complaints == []
    assert page.requests == [(page_home.home / "page.html").as_uri()]


def test_the_policy_holds_against_a_script_that_gets_in(page: Page) -> None:
    page.run(
        "(() => { const s = document.createElement('img'); s.src = 'http://127.0.0.1:9/x';"
        "document.body.append(s); })()"
    )
    page.run("fetch('http://127.0.0.1:9/y').catch(() => null)")
    assert (
        page.run(
            "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'let in'; }"
            "catch (error) { return error.name; } })()"
        )
        == "TypeError"
    )
    assert len([text for text in page.complaints if "Content Security Policy" in text]) >= 2
    assert not [url for url in page.requests if url.startswith("http") and page_got(page, url)]


def page_got(page: Page, url: str) -> bool:
    """Whether anything came of a request; a blocked one leaves no timing entry with a size."""
    script = f"performance.getEntriesByName({json.dumps(url)}).some((e) => e.transferSize > 0)"
    return bool(page.run(script))


def test_hostile_texts_are_inert_and_visible(browser: Page, cli: Cli) -> None:
    record = {
        "id": "1</script><b>",
        "domain": "chat",
        "subset": HOSTILE,
        "prompt": HOSTILE,
        "chosen": [f"{HOSTILE}{k}" for k in range(3)],
        "rejected": [f"{HOSTILE}{k}" for k in range(3, 6)],
    }
    (cli.home / "data.json").write_text(json.dumps([record]))
    done = cli("run", "baseline/length", "--data", "data.json", "--out", "o")
    assert done.returncode == 0, done.stderr
    assert cli("report", "o", "--html", "page.html").returncode == 0
    browser.emulate()
    browser.requests.clear()
    browser.complaints.clear()
    browser.open((cli.home / "page.html").as_uri())
    browser.run("location.hash = 'tuple-0'")
    browser.wait("!document.getElementById('tuple').hidden")
    assert not browser.run("document.title.includes('owned')")
    assert browser.run("document.querySelectorAll('img').length") == 0
    assert (browser.complaints, len(browser.requests)) == ([], 1)
    shown = browser.run("document.querySelector('#tuple').textContent")
    assert shown.count("</script><script>") >= 8
    assert not {"\x1b", "\u202e", "\u2066", "\x00"} & set(shown)
    assert shown.count("U+202E") >= 8
    assert shown.count("U+001B") >= 8
