"""`rmjudge compare`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import READINGS, SHEET_FORMATS, add_command, add_data, add_runs
from rmjudge.errors import UsageError
from rmjudge.options.kinds import count
from rmjudge.options.written import path

if TYPE_CHECKING:
    from rmjudge.calls import Json


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "compare",
        compare,
        help="is the difference between runs real, and do they agree",
        description="Compare scorers on the tuples that all of them scored: differences with "
        "paired intervals and tests, agreement, and the tuples they disagree on.",
    )
    add_runs(parser, nargs="*", help="what `rmjudge run` wrote; two scorers or more")
    parser.add_argument(
        "--table",
        type=path,
        metavar="FILE",
        help="classifiers against DPO policies with and without their references, a preference "
        "set a row: a TOML file with a table [SET] each, with classifier, dpo and "
        "without-reference = RUN; or the rmjudge.toml whose policies RUN scored",
    )
    parser.add_argument(
        "--with",
        dest="cheap",
        type=path,
        metavar="CHEAP",
        help="the run of a cheap scorer on more tuples, as control variate: estimates what one RUN "
        "or two would show on all of them; refused where the correlation is under 0.3",
    )
    parser.add_argument(
        "--reading",
        choices=READINGS,
        help="what a tie is worth: nothing (strict) or half a win; by default strict among "
        "reward models, half_credit as soon as a judge is compared",
    )
    parser.add_argument(
        "--top", type=count, default=10, metavar="N", help="tuples of disagreement (default 10)"
    )
    parser.add_argument(
        "--baselines",
        action="store_true",
        help="compare baseline/* too where two other scorers are there; by default they are left "
        "out, since each adds tests to correct for",
    )
    add_data(
        parser,
        "where the texts are now, if runs of different data are compared and theirs has moved",
    )
    parser.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")


def compare(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Compare every two of the scorers in the format asked for."""
    from rmjudge.runs.items import part_results

    if arguments.table is not None:
        return _table(arguments)
    if not arguments.folders:
        raise UsageError("name two RUNs to compare, or a --table FILE")
    if arguments.cheap is not None:
        return _with(arguments)
    of_tuples, of_items = part_results(arguments.folders)
    told: list[Json] = []
    if of_items:
        told = _other_sets(arguments, of_items, beside=len(of_tuples) > 1)
        if len(of_tuples) < 2:
            return _alone(of_tuples)
    return _tuples(arguments, of_tuples, told)


def _tuples(arguments: argparse.Namespace, folders: Sequence[Path], told: Sequence[Json]) -> int:
    """Compare the runs on RM-Bench; `told` is what was found on other sets, for JSON."""
    from rmjudge import findings
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.cli.sets import with_sets
    from rmjudge.render.commands.compare import comparison_csv, comparison_json
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.stored import read_runs

    found = findings.compare(
        read_runs(folders, data=arguments.data or (), notice=say),
        reading=arguments.reading,
        baselines=arguments.baselines,
    )
    for warning in found.warnings:
        say(f"warning: {warning}")
    match arguments.format:
        case "json":
            print_text(with_sets(comparison_json(found.comparison, found.left_out), told))
        case "csv":
            for note in found.left_out:
                say(note)
            print_text(comparison_csv(found.comparison))
        case "markdown":
            print_text(sheets_markdown(found.sheets(arguments.top)))
        case _:
            tables().print(sheets_renderable(found.sheets(arguments.top)))
    return 0


def _other_sets(
    arguments: argparse.Namespace, folders: Sequence[Path], *, beside: bool
) -> list[Json]:
    """Compare the runs on other sets, show it, and return it for programs."""
    from rmjudge.cli.sets import refuse_reading, show_sets
    from rmjudge.render.commands import benchmark_compare
    from rmjudge.runs.items import read_items

    refuse_reading(arguments.reading)
    pairs = benchmark_compare.two_by_two([read_items(folder) for folder in folders])
    if not pairs and not beside:
        raise UsageError("name two runs on the same benchmark to compare")
    told = benchmark_compare.compare_data(pairs)
    sheets = benchmark_compare.compare_sheets(pairs)
    csv = benchmark_compare.compare_csv(pairs)
    show_sets(arguments.format, sheets, told, csv, beside=beside)
    return told


def _alone(folders: Sequence[Path]) -> int:
    """Say which run of RM-Bench has no other beside it."""
    from rmjudge.cli.console import say

    for folder in folders:
        say(f"{folder}: the only run on RM-Bench here; there is nothing to compare it with")
    return 0


def _table(arguments: argparse.Namespace) -> int:
    """Compare the preference sets of a file in the format asked for."""
    from rmjudge import findings
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.render.commands.compare_table import table_csv, table_json, table_sheets
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.pairs import read_pairs

    if arguments.cheap is not None:
        raise UsageError("--table FILE takes no --with beside it")
    sets = read_pairs(arguments.table, tuple(arguments.data or ()), arguments.folders)
    rows, warnings = findings.compare_table(sets, arguments.reading)
    for warning in warnings:
        say(f"warning: {warning}")
    match arguments.format:
        case "json":
            print_text(table_json(rows))
        case "csv":
            print_text(table_csv(rows))
        case "markdown":
            print_text(sheets_markdown(table_sheets(rows)))
        case _:
            tables().print(sheets_renderable(table_sheets(rows)))
    return 0


def _with(arguments: argparse.Namespace) -> int:
    """Estimate with a cheap scorer in the format asked for."""
    from rmjudge import findings
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.render.commands.compare_with import with_csv, with_json, with_sheets
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.stored import read_runs

    data = arguments.data or ()
    runs = read_runs(arguments.folders, data=data, notice=say)
    cheap = read_runs([arguments.cheap], data=data, notice=say)
    if len(cheap) > 1:
        raise UsageError(f"--with {arguments.cheap}: {len(cheap)} scorers there; name the one")
    found, warnings = findings.compare_with(runs, cheap[0], arguments.reading)
    for warning in warnings:
        say(f"warning: {warning}")
    match arguments.format:
        case "json":
            print_text(with_json(found))
        case "csv":
            print_text(with_csv(found))
        case "markdown":
            print_text(sheets_markdown(with_sheets(found)))
        case _:
            tables().print(sheets_renderable(with_sheets(found)))
    return 0
