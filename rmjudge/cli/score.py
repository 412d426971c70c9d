"""`rmjudge score`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import (
    add_command,
    add_config,
    add_json,
    add_models,
    add_options,
    models_and_options,
)
from rmjudge.errors import ModelRefused, UsageError
from rmjudge.options.written import path

if TYPE_CHECKING:
    from rmjudge.running.scoring import TextScores


def add(commands: Any) -> None:
    """Add the command: models, texts, and the options of a run that are not about tuples."""
    parser = add_command(
        commands,
        "score",
        score,
        help="score a prompt and responses of your own",
        description="Score responses of your own to one prompt: the rewards of a reward model, "
        "or how a judge decides between every two of them, in both orders. Answers are kept.",
    )
    add_models(parser)
    parser.add_argument(
        "--prompt",
        type=text,
        metavar="TEXT|@FILE",
        required=True,
        help="the prompt, or the file that holds it (without its last line break); @@ begins a "
        "text that begins with @",
    )
    parser.add_argument(
        "--response",
        type=text,
        metavar="TEXT|@FILE",
        required=True,
        action="append",
        dest="responses",
        help="a response, written like the prompt; repeatable",
    )
    files = add_options(parser, tuples=False)
    add_config(files)
    add_json(files)
    files.add_argument("--quiet", action="store_true", help="no progress")


def text(word: str) -> str:
    """A text of the command line: itself, or what a file holds.

    Raises:
        UsageError: the file cannot be read.
    """
    if not word.startswith("@"):
        return word
    if word.startswith("@@"):
        return word[1:]
    file = path(word[1:])
    try:
        # An editor ends every file with a line break that is no part of the text.
        return file.read_bytes().decode("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{file} is no text in UTF-8") from error


def score(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Score, show; return the exit code."""
    import asyncio

    from rmjudge.cli.console import people, print_json, say, tables
    from rmjudge.render.commands.score import scores_json, scores_sheets
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.running.scoring import score_texts
    from rmjudge.running.signals import draining

    models, options = models_and_options(arguments, tuples=False)
    watch = None
    if not arguments.quiet:
        from rmjudge.render.progress import watcher

        watch = watcher(people())
    found = asyncio.run(
        score_texts(
            models,
            options,
            arguments.prompt,
            arguments.responses,
            notice=say,
            watch=watch,
            started=draining(say),
        )
    )
    code = _exit_code(found)
    if arguments.json:
        print_json({"exit_code": code, **scores_json(found)})
    else:
        tables().print(sheets_renderable(scores_sheets(found, arguments.responses)))
    for reason in dict.fromkeys(str(item.stopped) for item in found if item.stopped):
        say(f"rmjudge: {reason}")
    if any(item.stopped and not isinstance(item.stopped, ModelRefused) for item in found):
        say("every answer so far is kept; the same command goes on")
    return code


def _exit_code(found: Sequence[TextScores]) -> int:
    stops = [item.stopped.exit_code for item in found if item.stopped is not None]
    return max(stops) if stops else int(not all(item.complete for item in found))
