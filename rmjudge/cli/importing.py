"""`rmjudge import`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import add_command, add_data, add_json
from rmjudge.errors import UsageError
from rmjudge.options.written import path
from rmjudge.vocabulary import PUBLISHED_DOMAINS

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.runs.items import ItemResult


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "import",
        import_,
        help="turn other tools' result files into a run",
        description="Turn result files of RM-Bench's scripts, RM-R1 (its three files), "
        "reward-bench, JudgeBench or RewardMATH into a run, for report, leaderboard and readings "
        "(the last two: of RM-Bench alone). The format is detected.",
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
    if arguments.domain is None and not arguments.data:
        from rmjudge.importing.benchmarks import import_benchmark

        if found := import_benchmark(arguments.files, name=arguments.name):
            return _keep_items(found, folder, as_json=arguments.json)
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


def _keep_items(
    found: Sequence[tuple[ItemResult, dict[str, Json]]], folder: Path, *, as_json: bool
) -> int:
    """Write and show results on another benchmark than RM-Bench."""
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.render.commands.benchmarks import report_of, to_data
    from rmjudge.runs.files import folders_for
    from rmjudge.runs.items import write_items

    results = [result for result, _ in found]
    names = [result.metrics.scorer for result in results]
    for index, (place, (result, about)) in enumerate(
        zip(folders_for(folder, names), found, strict=True)
    ):
        write_items(place, result, {**about, "index": index})
    if as_json:
        print_json({"benchmarks": to_data(results)})
    else:
        tables().print(report_of((), results))
    say(f"results: {folder}")
    return int(not all(result.complete for result in results))
