"""`rmjudge import`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_text, say, tables
from rmjudge.dataset import load
from rmjudge.errors import UsageError
from rmjudge.importing.runs import import_files
from rmjudge.runs.files import write_result


def import_(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Read, write, show; 1 where scores are missing."""
    folder = Path(arguments.out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not empty; give a new folder with --out")
    result, about = import_files(
        [Path(file) for file in arguments.files],
        name=arguments.name,
        domain=arguments.domain,
        data=load(arguments.data, notice=say) if arguments.data else None,
    )
    write_result(folder, result, about)
    if arguments.json:
        from rmjudge.render.exports import to_json

        print_text(to_json([result]))
    else:
        from rmjudge.render.commands.report import report_renderable

        tables().print(report_renderable([result]))
    say(f"results: {folder}")
    return int(result.metrics.unscored_cells > 0)
