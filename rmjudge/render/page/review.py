"""The page of a review: the tasks in it, one shown at a time. Served, or as a file of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rmjudge.render.page.document import asset, policy, rendered
from rmjudge.render.page.embedding import inert
from rmjudge.reviewing.exchange import PAGE_MARK
from rmjudge.reviewing.showing import shown
from rmjudge.reviewing.tasks import Task
from rmjudge.version import __version__

SCRIPT: Final = "review.js"
STYLES: Final = ("page.css", "review.css")


def review_page(title: str, reviewer: str, tasks: Sequence[Task], *, served: bool) -> str:
    """Write the page: ASCII, the same for the same tasks.

    A `served` page sends each answer to its server. One that is not keeps the answers in the
    browser, and offers them as a file that `rmjudge review --import` reads.
    """
    style = "".join(f"{asset(name)}\n" for name in STYLES)
    script = f'"use strict";\n{asset(SCRIPT)}'
    data = {
        "mark": PAGE_MARK,
        "reviewer": reviewer,
        "served": served,
        "tasks": [shown(task) for task in tasks],
    }
    return rendered(
        "review.html",
        {
            "policy": policy(script, style, asks=served),
            "style": style,
            "script": script,
            "version": __version__,
            "title": title,
            "reviewer": reviewer,
            "served": served,
            "data": inert(data),  # type: ignore[arg-type]
        },
    )
