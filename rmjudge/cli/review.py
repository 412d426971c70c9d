"""`rmjudge review`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rmjudge.cli.arguments import add_command
from rmjudge.options.written import path

_KEYS: Final[Mapping[str, str]] = {"y": "yes", "n": "no", "b": "both"}
_QUESTION: Final = "really wrong? [y]es, [n]ot wrong, [b]oth fine, [s]kip, [q]uit: "


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "review",
        review,
        help="decide about the tuples of a build that wait for a person",
        description="Show what waits for a person, one after the other. Each decision is on disk "
        "before the next is shown, and none is ever changed: the last word of a reviewer counts.",
    )
    parser.add_argument("folder", type=path, metavar="BUILD", help="what `rmjudge build` wrote")
    parser.add_argument("--reviewer", default="reviewer", metavar="NAME", help="who decides")


def review(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Ask about each; return the exit code."""
    from rmjudge.building.folder import append_decision, digest_of, settle_folder
    from rmjudge.cli.console import say, tables
    from rmjudge.render.commands.build import build_sheets, published
    from rmjudge.render.commands.review import shown
    from rmjudge.render.terminal.listings import sheets_renderable

    _, found = settle_folder(arguments.folder)
    waiting = [
        item
        for item in found.of("queued")
        if all(
            one["reviewer"] != arguments.reviewer for one in item["provenance"].get("decisions", ())
        )
    ]
    for number, item in enumerate(waiting, 1):
        say(f"{number} of {len(waiting)}")
        tables().print(shown(item))
        verdict = _asked()
        if verdict == "q":
            break
        if verdict in _KEYS:
            append_decision(
                arguments.folder,
                arguments.reviewer,
                {
                    "id": item["tuple"]["id"],
                    "texts": digest_of(item["tuple"]),
                    "reviewer": arguments.reviewer,
                    "verdict": _KEYS[verdict],
                },
            )
    if not waiting:
        say(f"nothing waits for {arguments.reviewer}")
    tables().print(sheets_renderable(build_sheets(published(arguments.folder))))
    return 0


def _asked() -> str:
    """The reviewer's key; the end of the input quits."""
    from rmjudge.cli.console import people

    while True:
        people().print(_QUESTION, end="")
        try:
            key = input().strip().lower()[:1]
        except EOFError:
            return "q"
        if key in (*_KEYS, "s", "q"):
            return key
