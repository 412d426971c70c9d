"""`rmjudge style`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_text, say, tables
from rmjudge.dataset import DataSet
from rmjudge.metrics.report import Reading
from rmjudge.render.commands.style import style_csv, style_json, style_sheets
from rmjudge.render.sheets import sheets_markdown
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.runs.comparable import distinct
from rmjudge.runs.naming import labels
from rmjudge.runs.stored import StoredRun, read_runs
from rmjudge.statistics.baselines import BASELINES, baseline_of
from rmjudge.statistics.scored import common_reading, scored_of
from rmjudge.statistics.style import Style, lengths_of, style_of


def style(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Report what style is worth to each scorer, beside the baselines on the same texts."""
    plot = Path(arguments.plot) if arguments.plot else None
    if plot:
        from rmjudge.render.plots import check_plot

        check_plot(plot)
    runs, left = distinct(read_runs(arguments.folders, data=arguments.data or (), notice=say))
    reading = arguments.reading or common_reading(run.result.metrics.method for run in runs)
    groups = _groups(runs, reading)
    if plot:
        from rmjudge.render.plots import plot_styles

        plot_styles([item for _, styles in groups for item in styles], plot)
        say(f"plot: {plot}")
    match arguments.format:
        case "json":
            print_text(style_json(groups))
        case "csv":
            print_text(style_csv(groups))
        case "markdown":
            print_text(sheets_markdown(style_sheets(groups)))
        case _:
            tables().print(sheets_renderable(style_sheets(groups)))
    for note in left:
        say(note)
    return 0


def _groups(runs: Sequence[StoredRun], reading: Reading) -> list[tuple[str, list[Style]]]:
    """Report runs of the same data together, the baselines of that data after them."""
    names = labels([run.result for run in runs])
    there: set[tuple[str, str]] = set()
    data_of: dict[str, DataSet] = {}
    styles: dict[str, list[Style]] = {}
    for name, run in zip(names, runs, strict=True):
        data = run.texts
        data_of[data.digest] = data
        there.add((run.result.metrics.scorer, data.digest))
        lengths = {item.key: lengths_of(item) for item in data}
        position = run.result.metrics.position
        found = style_of(scored_of(name, run.result), lengths, reading, position)
        styles.setdefault(data.digest, []).append(found)
    for digest, data in data_of.items():
        lengths = {item.key: lengths_of(item) for item in data}
        styles[digest] += [
            style_of(scored, lengths, reading)
            for scored in map(baseline_of, BASELINES, [data] * len(BASELINES))
            if (scored.name, digest) not in there
        ]
    return [
        (f"{'+'.join(data.domains)}, {len(data):,} tuples", styles[digest])
        for digest, data in data_of.items()
    ]
