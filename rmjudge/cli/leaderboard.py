"""`rmjudge leaderboard`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_text, say, tables
from rmjudge.errors import UsageError
from rmjudge.render.rows import labels
from rmjudge.runs.files import find_results, read_result, write_text


def leaderboard(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show the table, or emit what is submitted."""
    found = [path for folder in arguments.folders for path in find_results(Path(folder))]
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
    from rmjudge.leaderboard.published import published
    from rmjudge.leaderboard.standing import stand
    from rmjudge.render import sheets
    from rmjudge.render.commands import leaderboard as standings

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
    from rmjudge.leaderboard import submissions

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
        target = Path(arguments.emit_file)
        write_text(target, submissions.result_file(result, recorded(folders[0]).data))
        say(f"written: {target}")
    if row:
        print_text(row)
        if about.link is None:
            say("the leaderboard asks for a link to the paper or project: --link URL")
