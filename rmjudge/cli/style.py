"""`rmjudge style`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from rmjudge.cli.console import print_text, say, tables
from rmjudge.dataset import DataSet
from rmjudge.metrics.report import Reading
from rmjudge.metrics.tallies import credits_of_rewards
from rmjudge.providers.baseline import REWARDS
from rmjudge.render.commands.style import style_csv, style_json, style_sheets
from rmjudge.render.rows import labels
from rmjudge.render.sheets import sheets_markdown
from rmjudge.render.terminal.listings import sheets_renderable
from rmjudge.runs.stored import StoredRun, Texts, read_runs
from rmjudge.statistics.scored import Scored, common_reading, scored_of
from rmjudge.statistics.style import Style, lengths_of, style_of

BASELINES = ("length", "markdown")


def style(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Report what style is worth to each scorer, beside the baselines on the same texts."""
    plot = Path(arguments.plot) if arguments.plot else None
    if plot:
        from rmjudge.render.plots import check_plot

        check_plot(plot)
    runs = read_runs(arguments.folders)
    reading = arguments.reading or common_reading(run.result.metrics.method for run in runs)
    groups = _groups(runs, Texts(arguments.data or (), say), reading)
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
    return 0


def _groups(
    runs: Sequence[StoredRun], texts: Texts, reading: Reading
) -> list[tuple[str, list[Style]]]:
    """Report runs of the same data together, the baselines of that data after them."""
    names = labels([run.result for run in runs])
    there: set[tuple[str, str]] = set()
    data_of: dict[str, DataSet] = {}
    styles: dict[str, list[Style]] = {}
    for name, run in zip(names, runs, strict=True):
        data = texts.of(run)
        data_of[data.digest] = data
        there.add((run.result.metrics.scorer, data.digest))
        lengths = {(item.domain, item.id): lengths_of(item) for item in data}
        position = run.result.metrics.position
        found = style_of(scored_of(name, run.result), lengths, reading, position)
        styles.setdefault(data.digest, []).append(found)
    for digest, data in data_of.items():
        lengths = {(item.domain, item.id): lengths_of(item) for item in data}
        styles[digest] += [
            style_of(scored, lengths, reading)
            for scored in map(baseline_of, BASELINES, [data] * len(BASELINES))
            if (scored.name, digest) not in there
        ]
    return [
        (f"{'+'.join(data.domains)}, {len(data):,} tuples", styles[digest])
        for digest, data in data_of.items()
    ]


def baseline_of(kind: str, data: DataSet) -> Scored:
    """Score the texts with a baseline: what a scorer of pure style gets of these tuples."""
    reward = REWARDS[kind]
    return Scored(
        f"baseline/{kind}",
        "pointwise",
        {
            (item.domain, item.id): credits_of_rewards(
                [reward(item.prompt, text) for text in item.chosen],
                [reward(item.prompt, text) for text in item.rejected],
            )
            for item in data
        },
    )
