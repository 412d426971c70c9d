"""A headless Chromium and a page to look at; skipped where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from rmjudge.dataset import load
from rmjudge.runs.stored import read_runs
from rmjudge.runs.views import View, gather

from . import chromium

if TYPE_CHECKING:
    from command import Cli
    from served import ModelServer

    from .chromium import Page


@pytest.fixture(scope="session")
def page_home(request: pytest.FixtureRequest, new_cli: Callable[[], Cli]) -> Cli:
    """A home with page.html of a judge (both orders), rewards and a baseline on 80 tuples."""
    server: ModelServer = request.getfixturevalue("_model_server_process")
    server.reset()
    cli = new_cli()
    records = []
    for item in load(["sample"]):
        for copy in (0, 1):
            texts = [f"{text} ({copy})" for text in (*item.chosen, *item.rejected)]
            sides = {"chosen": texts[:3], "rejected": texts[3:]}
            record = {"id": f"{item.id}-{copy}", "domain": item.domain, "prompt": item.prompt}
            records.append({**record, **sides})
    (cli.home / "data.json").write_text(json.dumps(records))
    models = (server.judge, server.reward, "baseline/length")
    done = cli("run", *models, "--data", "data.json", "--order", "both", "--out", "o")
    assert done.returncode == 0, done.stderr
    done = cli("report", "o", "--html", "page.html")
    assert done.returncode == 0, done.stderr
    return cli


@pytest.fixture(scope="session")
def view(page_home: Cli) -> View:
    """What the page is made of."""
    return gather(read_runs([str(page_home.home / "o")]))


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A browser with one tab."""
    if chromium.FOUND is None:
        pytest.skip("Chromium is not installed")
    with chromium.chromium(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture
def page(browser: Page, page_home: Cli) -> Page:
    """The page, just opened, as a desk shows it; nothing was asked for or complained of yet."""
    browser.emulate()
    browser.send("Page.navigate", url="about:blank")
    browser.requests.clear()
    browser.complaints.clear()
    browser.open((page_home.home / "page.html").as_uri())
    return browser
