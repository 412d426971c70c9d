"""`rmjudge correlate`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import READINGS, SHEET_FORMATS, add_command, add_runs
from rmjudge.errors import UsageError
from rmjudge.options.written import path

if TYPE_CHECKING:
    from pathlib import Path

    from rmjudge.metrics.accuracy import Accuracies
    from rmjudge.metrics.report import Metrics, Reading
    from rmjudge.runs.stored import StoredRun
    from rmjudge.statistics.policies import PolicyScore
    from rmjudge.vocabulary import Domain


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands,
        "correlate",
        correlate,
        help="does the benchmark tell which reward model trains the better policy",
        description="Correlate the accuracies of runs with the scores of the policies that were "
        "trained with their scorers; docs/correlate.md describes the CSV.",
    )
    add_runs(parser)
    parser.add_argument(
        "--with",
        dest="policies",
        required=True,
        type=path,
        metavar="FILE",
        help="CSV of the policies' scores: scorer,domain,task,score,sft[,uncontrolled]",
    )
    parser.add_argument(
        "--reading",
        choices=READINGS,
        help="what a tie is worth: nothing (strict) or half a win; by default strict among "
        "reward models, half_credit as soon as a judge is among them",
    )
    parser.add_argument(
        "--plot", type=path, metavar="FILE", help="draw the points (.svg, .png, .pdf)"
    )
    parser.add_argument("--format", choices=SHEET_FORMATS, default="table", help="default table")


def correlate(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Correlate accuracies with the scores of policies.

    Raises:
        UsageError: no row has enough to be correlated, or something named is wrong.
    """
    from rmjudge.cli.console import print_text, say, tables
    from rmjudge.render.commands.correlate import (
        correlation_csv,
        correlation_json,
        correlation_sheets,
        doubts,
    )
    from rmjudge.render.sheets import sheets_markdown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.runs.comparable import comparable
    from rmjudge.runs.stored import read_runs
    from rmjudge.statistics.correlation import correlate as correlations_of
    from rmjudge.statistics.policies import read_policies
    from rmjudge.statistics.pooling import pool
    from rmjudge.statistics.scored import common_reading

    plot, policies = arguments.plot, arguments.policies
    if plot:
        from rmjudge.render.plots import check_plot

        check_plot(plot)
    scores = read_policies(policies)
    runs, twins = comparable(read_runs(arguments.folders), baselines=True)
    reading = arguments.reading or common_reading(run.result.metrics.method for run in runs)
    accuracies = _accuracies(runs, reading)
    if not set(accuracies) & {score.scorer for score in scores}:
        raise UsageError(
            f"{policies}: none of its scorers is in the runs; they have {', '.join(accuracies)}"
        )
    found = correlations_of(accuracies, scores)
    pooled = pool(found)
    remarks = [*twins, *_remarks(accuracies, scores)]
    if all(item.pearson.value is None and item.spearman.value is None for item in found):
        lacking = " ".join((*doubts(found), *remarks))
        raise UsageError(f"{policies}: nothing to correlate. {lacking}")
    if plot:
        from rmjudge.render.plots import plot_correlations

        plot_correlations(found, pooled, plot)
        say(f"plot: {plot}")
    match arguments.format:
        case "json":
            print_text(correlation_json(found, pooled, reading, remarks))
        case "csv":
            print_text(correlation_csv(found))
        case "markdown":
            print_text(sheets_markdown(correlation_sheets(found, pooled, reading, remarks)))
        case _:
            tables().print(sheets_renderable(correlation_sheets(found, pooled, reading, remarks)))
    return 0


def _accuracies(runs: Sequence[StoredRun], reading: Reading) -> dict[str, dict[Domain, Accuracies]]:
    found: dict[str, dict[Domain, Accuracies]] = {}
    places: dict[str, Path] = {}
    for run in runs:
        name = run.result.metrics.scorer
        if name in found:
            raise UsageError(
                f"{places[name]} and {run.folder} are both runs of {name}; name one of them"
            )
        found[name] = _domains(run.result.metrics, reading)
        places[name] = run.folder
    return found


def _domains(metrics: Metrics, reading: Reading) -> dict[Domain, Accuracies]:
    return {
        domain: part.strict if reading == "strict" else part.half_credit
        for domain, part in metrics.domains.items()
    }


def _remarks(
    accuracies: Mapping[str, Mapping[Domain, Accuracies]], scores: Sequence[PolicyScore]
) -> Iterator[str]:
    """Name what has no counterpart."""
    named = dict.fromkeys(score.scorer for score in scores)
    if missing := [name for name in named if name not in accuracies]:
        yield f"No run of {', '.join(missing)}: left out."
    if missing := [name for name in accuracies if name not in named]:
        yield f"No policy of {', '.join(missing)}: left out."
    scored = {domain for domains in accuracies.values() for domain in domains}
    if missing := [d for d in dict.fromkeys(score.domain for score in scores) if d not in scored]:
        yield f"The runs have no tuples of {', '.join(missing)}."
