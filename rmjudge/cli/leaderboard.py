"""`rmjudge leaderboard`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import FORMATS, add_command, add_data, add_runs
from rmjudge.errors import UsageError
from rmjudge.options.kinds import count
from rmjudge.options.written import path

if TYPE_CHECKING:
    from pathlib import Path

    from rmjudge.leaderboard.board import Board
    from rmjudge.runs.items import ItemResult
    from rmjudge.runs.stored import StoredRun


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
    board.add_argument("--top", type=count, metavar="N", help="the best N rows alone, and the runs")
    board.add_argument(
        "--around", type=count, metavar="N", help="N rows on either side of each run alone"
    )
    board.add_argument(
        "--board",
        type=path,
        metavar="FILE",
        help="a file of your own models (team.toml): the runs become its rows, newer ones in the "
        "place of older ones, and all of its rows are shown",
    )
    board.add_argument("--html", type=path, metavar="FILE", help="write the tables as a page, too")
    submit = board.add_argument_group("submitting one run")
    submit.add_argument(
        "--emit", action="store_true", help="print the run's Markdown row, and nothing else"
    )
    submit.add_argument(
        "--emit-file",
        type=path,
        metavar="FILE",
        help="write the scores in the format of RM-Bench's scripts, or the rows of JudgeBench's",
    )
    submit.add_argument(
        "--emit-hub",
        type=path,
        metavar="FILE",
        help="write the averages as a file for .eval_results/ of the model's repository at the "
        "Hugging Face Hub (rm-bench.yaml)",
    )
    add_data(submit, "with --emit-file: where the texts are now, if they have moved")
    submit.add_argument("--name", help="with --emit: the model's name (default: the scorer's)")
    submit.add_argument(
        "--link", metavar="URL", help="with --emit and --emit-hub: its paper or project"
    )
    submit.add_argument(
        "--type", help="with --emit: Scalar RM (default for rewards), GenRM, LLM (for judges), ..."
    )
    submit.add_argument(
        "--license", help="with --emit: Open Source, Open Weight, Proprietary, Unknown (default)"
    )


def leaderboard(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show the table, or emit what is submitted."""
    from rmjudge.cli.console import say
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.items import part_results
    from rmjudge.runs.stored import read_runs

    of_tuples, of_items = part_results(arguments.folders)
    if of_items:
        return _other_sets(arguments, of_tuples, of_items)
    runs, left = distinct(read_runs(of_tuples, data=arguments.data or (), notice=say))
    words = ("name", "link", "type", "license")
    given = [word for word in words if getattr(arguments, word) is not None]
    if arguments.emit_hub and "link" in given:
        given.remove("link")
    if given and not arguments.emit:
        raise UsageError(f"--{given[0]} is for --emit")
    submits = arguments.emit or arguments.emit_file or arguments.emit_hub
    if (arguments.board or arguments.html) and submits:
        raise UsageError("--board and --html show tables; --emit and --emit-file submit one run")
    if arguments.data and not arguments.emit_file:
        raise UsageError("--data is for --emit-file, which writes the texts")
    if submits:
        _submit(arguments, runs)
    else:
        left += _show(arguments, runs)
    for note in left:
        say(note)
    return 0


def _other_sets(
    arguments: argparse.Namespace, of_tuples: Sequence[Path], of_items: Sequence[Path]
) -> int:
    """Show runs on other benchmarks among the scores published there, or emit one."""
    from rmjudge.cli.console import print_text
    from rmjudge.cli.sets import show_sets
    from rmjudge.leaderboard.sets import emitted, stand_among
    from rmjudge.render.commands import benchmark_board as shown
    from rmjudge.runs.items import read_items, rules_of

    if of_tuples:
        raise UsageError(
            "a leaderboard is of one benchmark: name the folders below the run one by one, such "
            f"as {of_tuples[0]} or {of_items[0]}"
        )
    of_tuples_alone = ("top", "around", "board", "html", "emit_hub", "link")
    for option in (*of_tuples_alone, "type", "license"):
        if getattr(arguments, option) is not None:
            flag = f"--{option.replace('_', '-')}"
            raise UsageError(
                f"{flag} is for RM-Bench's leaderboard; other sets have --emit and --emit-file"
            )
    submits = arguments.emit or arguments.emit_file is not None
    if arguments.name is not None and not submits:
        raise UsageError("--name is for --emit and --emit-file")
    if arguments.data and arguments.emit_file is None:
        raise UsageError("--data is for --emit-file, which writes the texts")
    results = [read_items(folder) for folder in of_items]
    if submits:
        if len(results) != 1:
            flag = "--emit" if arguments.emit else "--emit-file"
            raise UsageError(f"{flag} is for the run of one scorer, and {len(results)} are named")
        if arguments.emit:
            print_text(emitted(results[0], arguments.name))
        if arguments.emit_file is not None:
            _write_rows(arguments, results[0])
        return 0
    rules = {one.metrics.benchmark: rules_of(one) for one in results}
    boards = [
        (of, stand_among(of, [r for r in results if r.metrics.benchmark == name]))
        for name, of in rules.items()
    ]
    csv = shown.board_csv(boards)
    sheets, told = shown.board_sheets(boards), shown.board_data(boards)
    show_sets(arguments.format, sheets, told, csv, beside=False)
    return 0


def _write_rows(arguments: argparse.Namespace, result: ItemResult) -> None:
    from rmjudge.cli.console import say
    from rmjudge.leaderboard.judgebench import check, output_rows
    from rmjudge.runs.items import scored_items, seed_of
    from rmjudge.runs.writing import write_text

    check(result)
    items = scored_items(result, arguments.data or ())
    rows = output_rows(result, items, arguments.name, seed_of(result))
    write_text(arguments.emit_file, "".join(f"{row}\n" for row in rows))
    say(f"written: {arguments.emit_file}")


def _show(arguments: argparse.Namespace, runs: Sequence[StoredRun]) -> list[str]:
    """Show the table; return what is to be said of the board."""
    from rmjudge.cli.console import print_text, tables
    from rmjudge.leaderboard.published import published, reported
    from rmjudge.leaderboard.standing import excerpt, ranked, stand
    from rmjudge.render import sheets
    from rmjudge.render.commands import leaderboard as standings
    from rmjudge.runs.naming import labels

    if arguments.html:
        from rmjudge.cli.page import check_page

        check_page(arguments.html)
    title = "RM-Bench leaderboard"
    said: list[str] = []
    if arguments.board:
        own, said = _board(arguments.board, runs)
        title = own.title
        everyone = ranked(published(), [row.entry for row in own.rows])
    else:
        results = [run.result for run in runs]
        named = zip(labels(results), (result.metrics for result in results), strict=True)
        everyone = stand(published(), list(named))
    if arguments.around is not None and not any(e.is_run and e.rank for e in everyone):
        raise UsageError(
            "--around shows the rows beside a run that has a rank, and none of those named has one"
        )
    entries = excerpt(everyone, arguments.top, arguments.around)
    # Around a run is the leaderboard alone; the best of it stand beside the best reported since.
    since = () if arguments.around is not None else reported()[: arguments.top]
    found = [standings.leaderboard_sheet(entries, len(everyone))]
    found += [standings.reported_sheet(since)] if since else []
    match arguments.format:
        case "json":
            print_text(standings.leaderboard_json(entries, since))
        case "csv":
            print_text(standings.leaderboard_csv(entries))
        case "markdown":
            print_text(sheets.sheets_markdown(found))
        case "latex":
            print_text(sheets.sheets_latex(found))
        case _:
            from rmjudge.render.terminal.listings import sheets_renderable

            tables().print(sheets_renderable(found))
    if arguments.html:
        from rmjudge.render.page import Table, tables_page
        from rmjudge.runs.writing import write_text

        write_text(arguments.html, tables_page(title, list(map(Table.of_sheet, found))))
        said.append(f"page: {arguments.html}")
    return said


def _board(path: Path, runs: Sequence[StoredRun]) -> tuple[Board, list[str]]:
    """Read the file, put the runs on it, and write it if that changed anything."""
    from rmjudge.leaderboard.board import add_runs, board_text, read_board
    from rmjudge.runs.writing import write_text

    before = read_board(path)
    if not runs and not path.exists():
        raise UsageError(f"{path}: no such board; name runs to begin one with")
    board, said = add_runs(before, runs)
    if board != before:
        write_text(path, board_text(board))
        said.append(f"board: {path}")
    return board, said


def _submit(arguments: argparse.Namespace, runs: Sequence[StoredRun]) -> None:
    from rmjudge.cli.console import print_text, say
    from rmjudge.leaderboard import submissions
    from rmjudge.runs.writing import write_text

    if len(runs) != 1:
        folders = ", ".join(str(run.folder) for run in runs)
        raise UsageError(
            f"--emit, --emit-file and --emit-hub are for the run of one scorer, and {len(runs)} "
            "are named" + (f": {folders}; name one of them" if runs else "")
        )
    (run,) = runs
    result = run.result
    about = submissions.Submission(
        arguments.name, arguments.link, arguments.type, arguments.license
    )
    row = submissions.markdown_row(result, about) if arguments.emit else ""
    hub = ""
    if arguments.emit_hub:
        hub = submissions.hub_file(result, about.link, run.record.started)
    if arguments.emit_file:
        submissions.check_scores(result)
        target = arguments.emit_file
        write_text(target, submissions.result_file(result, run.texts))
        say(f"written: {target}")
    if hub:
        write_text(arguments.emit_hub, hub)
        say(f"written: {arguments.emit_hub}; it goes to .eval_results/ of the model's repository")
        say(f"the Hub shows it once {submissions.DATASET} is a benchmark there, with these tasks")
    if row:
        print_text(row)
        if about.link is None:
            say("the leaderboard asks for a link to the paper or project: --link URL")
