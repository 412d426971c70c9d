"""`rmjudge leaderboard`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rmjudge.cli.arguments import FORMATS, add_command, add_runs
from rmjudge.errors import UsageError
from rmjudge.options.written import path


def add(commands: Any) -> None:
    """Add the command."""
    board = add_command(
        commands,
        "leaderboard",
        leaderboard,
        help="runs among the published results, or a row to submit",
        description="Show finished runs among the published results of RM-Bench, with what is "
        "known to be wrong in these; or print what the public leaderboard takes.",
    )
    add_runs(board, nargs="*")
    board.add_argument("--format", choices=FORMATS, default="table", help="default table")
    submit = board.add_argument_group("submitting one run")
    submit.add_argument(
        "--emit", action="store_true", help="print the run's Markdown row, and nothing else"
    )
    submit.add_argument(
        "--emit-file",
        type=path,
        metavar="FILE",
        help="write the scores in the format of RM-Bench's scripts",
    )
    submit.add_argument("--name", help="with --emit: the model's name (default: the scorer's)")
    submit.add_argument("--link", metavar="URL", help="with --emit: its paper or project")
    submit.add_argument(
        "--type", help="with --emit: Scalar RM (default for rewards), GenRM, LLM (for judges), ..."
    )
    submit.add_argument(
        "--license", help="with --emit: Open Source, Open Weight, Proprietary, Unknown (default)"
    )


def leaderboard(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show the table, or emit what is submitted."""
    from rmjudge.runs.files import find_results

    found = [each for folder in arguments.folders for each in find_results(folder)]
    folders = list(dict.fromkeys(found))
    words = ("name", "link", "type", "license")
    given = [word for word in words if getattr(arguments, word) is not None]
    if given and not arguments.emit:
        raise UsageError(f"--{given[0]} is for --emit")
    if arguments.emit or arguments.emit_file:
        _submit(arguments, folders)
    else:
        _show(arguments.format, folders)
    return 0


def _show(format: str, folders: Sequence[Path]) -> None:
    from rmjudge.cli.console import print_text, tables
    from rmjudge.leaderboard.published import published
    from rmjudge.leaderboard.standing import stand
    from rmjudge.render import sheets
    from rmjudge.render.commands import leaderboard as standings
    from rmjudge.render.rows import labels
    from rmjudge.runs.files import read_result

    results = [read_result(folder) for folder in folders]
    runs = zip(labels(results), (result.metrics for result in results), strict=True)
    entries = stand(published(), list(runs))
    match format:
        case "json":
            print_text(standings.leaderboard_json(entries))
        case "csv":
            print_text(standings.leaderboard_csv(entries))
        case "markdown":
            print_text(sheets.sheets_markdown([standings.leaderboard_sheet(entries)]))
        case "latex":
            print_text(sheets.sheets_latex([standings.leaderboard_sheet(entries)]))
        case _:
            from rmjudge.render.terminal.listings import sheets_renderable

            tables().print(sheets_renderable([standings.leaderboard_sheet(entries)]))


def _submit(arguments: argparse.Namespace, folders: Sequence[Path]) -> None:
    from rmjudge.cli.console import print_text, say
    from rmjudge.leaderboard import submissions
    from rmjudge.runs.files import read_result, write_text

    if len(folders) != 1:
        named = f": {', '.join(map(str, folders))}; name one of them" if folders else ""
        raise UsageError(
            f"--emit and --emit-file are for the run of one scorer, and {len(folders)} are named"
            + named
        )
    result = read_result(folders[0])
    about = submissions.Submission(
        arguments.name, arguments.link, arguments.type, arguments.license
    )
    row = submissions.markdown_row(result, about) if arguments.emit else ""
    if arguments.emit_file:
        from rmjudge.runs.replan import recorded

        submissions.check_scores(result)
        target = arguments.emit_file
        write_text(target, submissions.result_file(result, recorded(folders[0]).data))
        say(f"written: {target}")
    if row:
        print_text(row)
        if about.link is None:
            say("the leaderboard asks for a link to the paper or project: --link URL")
