"""What `compare` and `style` do alike about results on other sets than RM-Bench."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from rmjudge.errors import UsageError

if TYPE_CHECKING:
    from rmjudge.render.sheets import Sheet
    from rmjudge.runs.items import ItemResult

SheetsOf: TypeAlias = "Callable[[Sequence[ItemResult]], list[Sheet]]"


def show_other_sets(
    arguments: argparse.Namespace, sheets_of: SheetsOf
) -> tuple[list[Path], list[Path]]:
    """Show the results on other sets; return the folders of RM-Bench's, and of the others.

    Raises:
        UsageError: an option is for runs on RM-Bench alone.
    """
    from rmjudge.cli.console import print_text, tables
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.items import part_results, read_items

    of_tuples, of_items = part_results(arguments.folders)
    if not of_items:
        return of_tuples, of_items
    if arguments.reading is not None:
        raise UsageError(
            "--reading is for runs on RM-Bench; other sets have a reading of their own"
        )
    if arguments.format not in ("table", "markdown"):
        raise UsageError(
            f"--format {arguments.format} is for runs on RM-Bench alone; use table or markdown"
        )
    sheets = sheets_of([read_items(folder) for folder in of_items])
    if arguments.format == "markdown":
        print_text(sheets_markdown(sheets))
    else:
        tables().print(sheets_renderable(sheets))
    return of_tuples, of_items
