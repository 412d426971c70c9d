"""`rmjudge show`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import add_cache_dir, add_command, add_data, add_json, add_runs
from rmjudge.vocabulary import STYLES, Style


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "show",
        show,
        help="one tuple: its texts, what each scorer made of them, the judges' words",
        description="Show one tuple: prompt, six responses, and each scorer's rewards or credits.",
    )
    parser.add_argument(
        "tuple", metavar="TUPLE", help="DOMAIN/ID, such as chat/17; or the id where it is unique"
    )
    add_runs(parser)
    parser.add_argument(
        "--pair",
        type=pair,
        default=("concise", "concise"),
        metavar="CHOSEN[/REJECTED]",
        help="the styles of the pair whose difference is marked: concise (default), "
        "markdown/detailed, ...",
    )
    parser.add_argument("--replies", action="store_true", help="the judges' own words as well")
    add_data(parser)
    add_cache_dir(parser, "where the answers are now, if they have moved")
    add_json(parser)


def pair(text: str) -> tuple[Style, Style]:
    """Two styles, `markdown/detailed`; or one for both sides."""
    chosen, slash, rejected = text.partition("/")
    found = [
        style
        for name in (chosen, rejected if slash else chosen)
        for style in STYLES
        if style == name
    ]
    if len(found) != 2:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not CHOSEN or CHOSEN/REJECTED, of {', '.join(STYLES)}"
        )
    return found[0], found[1]


def show(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show one tuple; two data sets that use one name for two tuples show both."""
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.render.commands.show import tuple_renderable, tuples_to_json
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.naming import tuples_named
    from rmjudge.runs.open_batches import batches_under_way
    from rmjudge.runs.stored import read_runs
    from rmjudge.runs.views import gather

    found = read_runs(
        arguments.folders,
        data=arguments.data or (),
        cache_folder=arguments.cache_dir,
        notice=say,
    )
    runs, left = distinct(found)
    view = gather(runs, only=tuples_named(arguments.tuple, runs), notes=left)
    if arguments.json:
        print_json(tuples_to_json(view, replies=arguments.replies))
        return 0
    for viewed in view.tuples:
        tables().print(
            tuple_renderable(view, viewed, pair=arguments.pair, replies=arguments.replies)
        )
    for line in batches_under_way(run.record for run in runs):
        say(line)
    for note in view.notes:
        say(f"warning: {note}")
    return 0
