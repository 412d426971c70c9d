"""A page that `rmjudge view` serves: the browser lets it look for news, and it finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from command import Cli

    from .chromium import Page


def test_a_served_page_loads_itself_again_and_keeps_its_filters(browser: Page, cli: Cli) -> None:
    assert cli("run", "baseline/length", "--limit", "1", "--out", "runs/one").returncode == 0
    with cli.start("view", "runs", "--port", "0") as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        try:
            browser.emulate()
            browser.complaints.clear()
            browser.requests.clear()
            browser.open(f"{address}#state=wrong")
            rows = "document.querySelectorAll('#accuracy tbody tr:not(.quiet)').length"
            assert browser.run(rows) == 1
            done = cli("run", "baseline/markdown", "--limit", "1", "--out", "runs/two")
            assert done.returncode == 0
            browser.wait(f"{rows} === 2")
            browser.wait("document.getElementById('state')?.value === 'wrong'")
            assert browser.complaints == []
            assert all(url.startswith(("data:", address)) for url in browser.requests)
        finally:
            process.kill()
