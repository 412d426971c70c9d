"""What commands do alike about results on other sets than RM-Bench."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rmjudge.errors import UsageError

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.render.sheets import Sheet


def show_sets(
    format: str, sheets: Sequence[Sheet], data: Sequence[Json], csv: str, *, beside: bool
) -> None:
    """Show what was found on other sets; `beside` tables of RM-Bench, which come after it.

    JSON beside RM-Bench's is left to `with_sets`, which makes one object of both.

    Raises:
        UsageError: one table of CSV cannot hold both.
    """
    from rmjudge.cli.console import print_json, print_text, tables
    from rmjudge.render.sheets import sheets_latex, sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable

    if format == "json":
        if not beside:
            print_json({"benchmarks": list(data)})
    elif format == "csv":
        if beside:
            raise UsageError(
                "--format csv writes one table, and RM-Bench's has other columns than other "
                "sets': name their folders apart"
            )
        print_text(csv)
    elif format == "markdown":
        print_text(sheets_markdown(sheets))
    elif format == "latex":
        print_text(sheets_latex(sheets))
    else:
        tables().print(sheets_renderable(sheets))


def with_sets(text: str, data: Sequence[Json]) -> str:
    """RM-Bench's JSON, with what was found on other sets; as it is where there are none."""
    if not data:
        return text
    return json.dumps({**json.loads(text), "benchmarks": list(data)}, indent=2) + "\n"


def refuse_reading(reading: str | None) -> None:
    """Refuse `--reading` for other sets.

    Raises:
        UsageError: it is given.
    """
    if reading is not None:
        raise UsageError(
            "--reading is for runs on RM-Bench; other sets have a reading of their own"
        )
