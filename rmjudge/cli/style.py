"""`rmjudge style`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import (
    READINGS,
    SHEET_FORMATS,
    add_cache_dir,
    add_command,
    add_data,
    add_runs,
)
from rmjudge.errors import UsageError
from rmjudge.options.written import path

if TYPE_CHECKING:
    from rmjudge.calls import Json


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "style",
        style,
        help="what style and length are worth to a scorer",
        description="Tell how far style moves each scorer when the substance is held fixed, beside "
        "the style baselines on the same data; and the position bias of judges.",
    )
    add_runs(parser)
    parser.add_argument(
        "--reading",
        choices=READINGS,
        help="what a tie is worth: nothing (strict) or half a win; by default strict for reward "
        "models, half_credit as soon as a judge is among them",
    )
    add_data(parser, "where the texts are now, if they have moved since the run")
    parser.add_argument(
        "--plot",
        type=path,
        metavar="FILE",
        help="draw correctness against verbosity, a point a scorer, and a point a response for "
        "runs whose reward model gives both as attributes (.svg, .png, .pdf)",
    )
    parser.add_argument(
        "--attributes",
        type=attributes,
        metavar="correctness=NAME,verbosity=NAME",
        help="which of a reward model's attributes are the two; by default those called so",
    )
    add_cache_dir(parser, "where the answers are now, if they have moved: attributes are in them")
    parser.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")


def style(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Report what style is worth to each scorer, beside the baselines on the same texts."""
    from rmjudge import findings
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.cli.sets import refuse_reading, show_sets, with_sets
    from rmjudge.render.commands import benchmark_style
    from rmjudge.render.commands.style import style_csv, style_json, style_sheets
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.items import part_results, read_items
    from rmjudge.runs.stored import read_runs

    if arguments.plot:
        from rmjudge.render.plots import check_plot

        check_plot(arguments.plot)
    of_tuples, of_items = part_results(arguments.folders)
    told: list[Json] = []
    if of_items:
        refuse_reading(arguments.reading)
        if (arguments.plot or arguments.attributes) and not of_tuples:
            raise UsageError("--plot and --attributes are for runs on RM-Bench")
        biases = benchmark_style.length_biases(
            [read_items(folder) for folder in of_items], arguments.data or ()
        )
        told = benchmark_style.style_data(biases)
        sheets = benchmark_style.style_sheets(biases)
        csv = benchmark_style.style_csv(biases)
        show_sets(arguments.format, sheets, told, csv, beside=bool(of_tuples))
    if not of_tuples:
        return 0
    found = findings.style(
        read_runs(
            of_tuples,
            data=arguments.data or (),
            cache_folder=arguments.cache_dir,
            notice=say,
        ),
        reading=arguments.reading,
        attributes=arguments.attributes,
    )
    if arguments.plot:
        from rmjudge.render.plots import plot_styles

        plot_styles(list(found), found.responses, arguments.plot)
        say(f"plot: {arguments.plot}")
    sheets = style_sheets(found.groups, found.responses)
    match arguments.format:
        case "json":
            print_text(with_sets(style_json(found.groups, found.responses), told))
        case "csv":
            print_text(style_csv(found.groups, found.responses))
        case "markdown":
            print_text(sheets_markdown(sheets))
        case _:
            tables().print(sheets_renderable(sheets))
    for note in found.left_out:
        say(note)
    return 0


def attributes(text: str) -> dict[str, str]:
    """Read `correctness=NAME,verbosity=NAME`.

    Raises:
        argparse.ArgumentTypeError: it is written otherwise.
    """
    found = dict(part.partition("=")[::2] for part in text.split(","))
    if len(found) != text.count(",") + 1 or found.keys() != {"correctness", "verbosity"}:
        raise argparse.ArgumentTypeError(f"{text!r} is not written correctness=NAME,verbosity=NAME")
    if not all(found.values()):
        raise argparse.ArgumentTypeError(f"{text!r} lacks a name")
    return found
