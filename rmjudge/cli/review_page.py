"""`rmjudge review --page`: the review in a browser, on this machine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rmjudge.errors import UsageError

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.reviewing.desk import Desk


def serve(desk: Desk, port: int) -> None:
    """Serve until Ctrl-C. Each answer is on disk before the page is told so."""
    from rmjudge.cli.console import print_text, say
    from rmjudge.cli.serving import PageServer

    with PageServer(port, lambda: _page(desk), take=lambda given: _take(desk, given)) as server:
        print_text(server.address)
        say("open this address in a browser; Ctrl-C ends the review")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("ended")


def _page(desk: Desk) -> str:
    """The page of what is not answered yet."""
    from rmjudge.render.page.review import review_page

    title = f"Review of {desk.folder.resolve().name}"
    return review_page(title, desk.reviewer, desk.open_tasks, served=True)


def _take(desk: Desk, given: dict[str, Json]) -> dict[str, Json]:
    """Keep what the page sent: an answer, a fix, or that the last one does not count."""
    try:
        if given.get("undo") is True:
            desk.undo()
            return {}
        task = desk.task(_text(given, "texts"))
        if "answer" in given:
            desk.answer(task, _text(given, "answer"))
        else:
            desk.fix(task, *(_text(given, name) for name in ("side", "find", "replace")))
    except UsageError as error:
        return {"error": str(error)}
    return {}


def _text(given: dict[str, Json], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise UsageError(f"{name} is missing")
    return value
