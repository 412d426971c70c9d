"""`rmjudge import`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from rmjudge.cli.arguments import add_command, add_data, add_json
from rmjudge.errors import UsageError
from rmjudge.options.written import path
from rmjudge.vocabulary import PUBLISHED_DOMAINS


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "import",
        import_,
        help="turn other tools' result files into a run",
        description="Turn result files of RM-Bench's scripts, RM-R1 (its three files) or "
        "reward-bench into a run, for report, leaderboard and readings. The format is detected.",
    )
    parser.add_argument("files", nargs="+", type=path, metavar="FILE", help="of one scorer")
    parser.add_argument("--out", required=True, type=path, metavar="DIR", help="the run's folder")
    parser.add_argument("--name", help="the scorer's name (default: what the files say)")
    parser.add_argument(
        "--domain",
        choices=tuple(PUBLISHED_DOMAINS),
        help="of entries without one, whose file is not called like chat_filtered.json",
    )
    add_data(parser, "the tuples of files without ids (rewardbench --save_all), in their order")
    add_json(parser)


def import_(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Read, write, show; 1 where scores are missing."""
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.dataset import load
    from rmjudge.importing.runs import import_files
    from rmjudge.runs.files import write_result

    folder = arguments.out
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} exists and is not empty; give a new folder with --out")
    result, about = import_files(
        arguments.files,
        name=arguments.name,
        domain=arguments.domain,
        data=load(arguments.data, notice=say) if arguments.data else None,
    )
    write_result(folder, result, about)
    if arguments.json:
        from rmjudge.render.commands.report_data import to_json

        print_text(to_json([result]))
    else:
        from rmjudge.render.commands.report import report_renderable

        tables().print(report_renderable([result]))
    say(f"results: {folder}")
    return int(result.metrics.unscored_cells > 0)
