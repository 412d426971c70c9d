"""`rmjudge show`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import add_cache_dir, add_command, add_data, add_json, add_runs
from rmjudge.errors import NotInRunsError
from rmjudge.vocabulary import STYLES, Style

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import RenderableType


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "show",
        show,
        help="one tuple: its texts, what each scorer made of them, the judges' words",
        description="Show one tuple: prompt, six responses, and each scorer's rewards or credits. "
        "Of a run on another set, show one item: its conversation, its responses, and what each "
        "scorer made of them.",
    )
    parser.add_argument(
        "tuple",
        metavar="TUPLE",
        help="DOMAIN/ID, such as chat/17 (of another set SUBSET/ID); or the id where it is unique",
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


@dataclass(frozen=True, slots=True)
class _Found:
    """What is to be shown: as JSON, as drawings, and lines about it."""

    told: dict[str, Any]
    drawn: Sequence[RenderableType]
    lines: Sequence[str]


def show(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Show one tuple or item; two data sets that use one name for two of them show both.

    Raises:
        UsageError: no run has one of this name (NotInRunsError), or a file is damaged.
    """
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.runs.items import part_results

    of_tuples, of_items = part_results(arguments.folders)
    found, absent = [], []
    for find, folders in ((_tuples, of_tuples), (_items, of_items)):
        if folders:
            try:
                found.append(find(arguments, folders))
            except NotInRunsError as error:
                absent.append(error)
    if not found:
        raise absent[0]
    if arguments.json:
        notes = [note for one in found for note in one.told["notes"]]
        print_json(
            {name: part for one in found for name, part in one.told.items()} | {"notes": notes}
        )
        return 0
    for one in found:
        for drawing in one.drawn:
            tables().print(drawing)
        for line in one.lines:
            say(line)
    return 0


def _tuples(arguments: argparse.Namespace, folders: Sequence[Path]) -> _Found:
    from rmjudge.cli.console import say
    from rmjudge.render.commands.show import tuple_renderable, tuples_to_json
    from rmjudge.runs.comparable import distinct
    from rmjudge.runs.naming import tuples_named
    from rmjudge.runs.open_batches import batches_under_way
    from rmjudge.runs.stored import read_runs
    from rmjudge.runs.views import gather

    read = read_runs(
        folders, data=arguments.data or (), cache_folder=arguments.cache_dir, notice=say
    )
    runs, left = distinct(read)
    view = gather(runs, only=tuples_named(arguments.tuple, runs), notes=left)
    replies = arguments.replies
    return _Found(
        tuples_to_json(view, replies=replies),
        [tuple_renderable(view, one, pair=arguments.pair, replies=replies) for one in view.tuples],
        [
            *batches_under_way(run.record for run in runs),
            *(f"warning: {note}" for note in view.notes),
        ],
    )


def _items(arguments: argparse.Namespace, folders: Sequence[Path]) -> _Found:
    """Those of the runs on other sets."""
    from rmjudge.render.commands.show_items import item_renderable, items_to_json
    from rmjudge.runs.item_views import items_named, view_items
    from rmjudge.runs.open_batches import batches_under_way
    from rmjudge.runs.stored_items import StoredItems

    runs = [StoredItems(path, arguments.data or (), arguments.cache_dir) for path in folders]
    replies = arguments.replies
    found, notes = view_items(runs, items_named(arguments.tuple, runs), replies=replies)
    return _Found(
        {"items": items_to_json(found, replies=replies), "notes": list(notes)},
        [item_renderable(one, replies=replies) for one in found],
        [
            *batches_under_way(run.record for run in runs),
            *(f"warning: {note}" for note in notes),
        ],
    )
