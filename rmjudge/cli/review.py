"""`rmjudge review`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rmjudge.cli.arguments import add_command
from rmjudge.errors import UsageError
from rmjudge.options.written import path

if TYPE_CHECKING:
    from rmjudge.reviewing.desk import Desk
    from rmjudge.reviewing.tasks import Task

REVIEWER: Final = "reviewer"
WRITTEN: Final = ("page", "labelstudio", "argilla")


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "review",
        review,
        help="decide about the tuples of a build that wait for a person",
        description="Show what waits for a person, one after the other, and a share of the rest "
        "blind. Each decision is on disk before the next is shown, and none is ever changed: the "
        "last word of a reviewer counts. The same command again goes on where it was.",
    )
    parser.add_argument("folder", type=path, metavar="BUILD", help="what `rmjudge build` wrote")
    parser.add_argument(
        "--reviewer", metavar="NAME", help=f"who decides (default {REVIEWER!r}); two make a kappa"
    )
    parser.add_argument(
        "--blind",
        type=_share,
        metavar="SHARE",
        help="how much of the kept tuples is shown blind, such as 15%% (the default) or 0",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--page", action="store_true", help="in a browser, on this machine alone, not here"
    )
    how.add_argument(
        "--export",
        type=path,
        metavar="FILE",
        help="write the questions for somebody without rmjudge: .html (a page), .json (Label "
        "Studio), .jsonl (Argilla)",
    )
    how.add_argument(
        "--import",
        dest="take",
        type=path,
        metavar="FILE",
        help="take over answers from such a page, Label Studio or Argilla",
    )
    parser.add_argument("--format", choices=WRITTEN, help="of --export, whatever the name ends in")
    parser.add_argument("--port", type=_port, metavar="N", help="of --page; default a free one")


def _share(text: str) -> float:
    number = text.removesuffix("%")
    try:
        share = float(number) / (100 if text.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share; 0 to 1, or 0% to 100%")
    return share


def _port(text: str) -> int:
    from rmjudge.cli.view import port

    return port(text)


def review(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Ask here or in a browser, write the questions, or take answers over."""
    from rmjudge.cli.console import tables
    from rmjudge.render.commands.build import build_sheets, published
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.reviewing.desk import Desk
    from rmjudge.reviewing.tasks import BLIND

    _check(arguments)
    if arguments.take is not None:
        _take_over(arguments.folder, arguments.take, arguments.reviewer)
    else:
        share = BLIND if arguments.blind is None else arguments.blind
        desk = Desk(arguments.folder, arguments.reviewer or REVIEWER, share)
        if arguments.export is not None:
            _export(desk, arguments.export, arguments.format)
            return 0
        if arguments.page:
            from rmjudge.cli.review_page import serve

            serve(desk, arguments.port or 0)
        else:
            _ask_all(desk)
    tables().print(sheets_renderable(build_sheets(published(arguments.folder))))
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that would do nothing."""
    if arguments.reviewer is not None and not arguments.reviewer.strip():
        raise UsageError("--reviewer is empty; it is the name under which decisions are kept")
    if arguments.format is not None and arguments.export is None:
        raise UsageError("--format is of --export; what --import reads is known by its content")
    if arguments.port is not None and not arguments.page:
        raise UsageError("--port is of --page")
    if arguments.blind is not None and arguments.take is not None:
        raise UsageError("--blind chooses what is asked; --import asks nothing")


def _take_over(folder: Path, file: Path, reviewer: str | None) -> None:
    from rmjudge.cli.console import say
    from rmjudge.reviewing.exchange import read_answers
    from rmjudge.reviewing.importing import take_over

    found = take_over(folder, read_answers(file, reviewer))
    known = f"; {found.known} were there already" if found.known else ""
    say(f"{found.added} decisions taken over from {file}{known}")


def _export(desk: Desk, file: Path, named: str | None) -> None:
    """Write the questions, and say what to do with the file."""
    from rmjudge.cli.console import say
    from rmjudge.render.page.review import review_page
    from rmjudge.reviewing import exchange
    from rmjudge.runs.writing import write_text

    format = exchange.format_of(file, named)
    if not desk.tasks:
        raise UsageError(f"nothing waits for {desk.reviewer}, so there is nothing to write")
    if format == "page":
        title = f"Review of {desk.folder.resolve().name}"
        write_text(file, review_page(title, desk.reviewer, desk.tasks, served=False))
        say(f"{len(desk.tasks)} questions: {file}, to be opened in any browser")
    elif format == "labelstudio":
        config = file.with_suffix(".xml")
        write_text(file, exchange.labelstudio_tasks(desk.tasks))
        write_text(config, exchange.CONFIG)
        say(f"{len(desk.tasks)} tasks for Label Studio: {file}; its labelling interface: {config}")
    else:
        lines = file.suffix.lower() != ".json"
        write_text(file, exchange.argilla_records(desk.tasks, lines=lines))
        say(f"{len(desk.tasks)} records for Argilla: {file}")
    say(f"then: rmjudge review {desk.folder} --import FILE")


def _ask_all(desk: Desk) -> None:
    """Ask about each task in the terminal, until the end or `q`."""
    from rmjudge.building.folder import decisions_file
    from rmjudge.cli.console import say, tables
    from rmjudge.render.commands.review import shown_here

    left = list(desk.tasks)
    if not left:
        say(f"nothing waits for {desk.reviewer}")
    else:
        file = decisions_file(desk.folder, desk.reviewer)
        say(f"each answer is kept at once in {file}; q ends, and the same command goes on")
    whole = False
    while left:
        task = left[0]
        say(f"{len(desk.tasks) - len(left) + 1} of {len(desk.tasks)}")
        tables().print(shown_here(task, whole=whole))
        whole = False
        key = _asked(task)
        if key == "q":
            return
        if key == "t":
            whole = True
        elif key == "u":
            before = desk.undo()
            left = [before, *left] if before is not None else left
            say("the last answer is taken back" if before else "there is no answer to take back")
        elif key == "s" or _answered(desk, task, key):
            left.pop(0)


def _answered(desk: Desk, task: Task, key: str) -> bool:
    """Keep an answer or a fix; False where it was refused, and why is said."""
    from rmjudge.cli.console import say
    from rmjudge.reviewing.showing import LABELS

    if key != "e":
        desk.answer(task, next(word for word in task.answers if LABELS[word][0] == key))
        return True
    try:
        side, find, replace = (
            _line(f"{name}: ") for name in ("side, c or r", "find", "replace by")
        )
        desk.fix(task, {"c": "chosen", "r": "rejected"}.get(side[:1].lower(), side), find, replace)
    except UsageError as error:
        say(f"not fixed: {error}")
        return False
    return True


def _asked(task: Task) -> str:
    """The reviewer's key; the end of the input and Ctrl-C quit."""
    from rmjudge.cli.console import say
    from rmjudge.reviewing.showing import LABELS, QUESTIONS
    from rmjudge.text import label

    keys = {LABELS[word][0]: LABELS[word][1] for word in task.answers}
    if not task.blind:
        keys["e"] = "edit a text"
    keys |= {"t": "all six texts", "s": "skip", "u": "undo", "q": "quit"}
    told = ", ".join(f"{key} {what}" for key, what in keys.items())
    while True:
        try:
            key = _line(f"{QUESTIONS[task.blind]} ({told}): ").strip().lower()[:1]
        except (EOFError, KeyboardInterrupt):
            say("")
            return "q"
        if key in keys:
            return key
        say(f"{label(key)} is none of the keys" if key else "one of the keys, please")


def _line(question: str) -> str:
    from rmjudge.cli.console import people

    people().print(question, end="", markup=False, highlight=False)
    return input()
