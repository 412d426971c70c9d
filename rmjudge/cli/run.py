"""`rmjudge run`."""

from __future__ import annotations

import argparse
import re
import shlex
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import (
    add_command,
    add_config,
    add_json,
    add_models,
    add_options,
    models_and_options,
)
from rmjudge.errors import Interrupted, ModelRefused
from rmjudge.options.written import path

if TYPE_CHECKING:
    from rmjudge.calls import Json
    from rmjudge.running.preparation import Prepared
    from rmjudge.runs.items import ItemResult
    from rmjudge.runs.results import ScorerResult
    from rmjudge.session import Run


def add(commands: Any) -> None:
    """Add the command: the models, the table of options, and what is about this call alone."""
    parser = add_command(
        commands,
        "run",
        run,
        help="score a data set with one or several models",
        description="Score a data set. Answers are kept: the same command again buys nothing, "
        "and an interrupted run goes on where it was.",
    )
    add_models(parser)
    files = add_options(parser)
    add_config(files)
    files.add_argument(
        "--dry-run", action="store_true", help="say what would be called and bought; call nothing"
    )
    add_json(files)
    files.add_argument("--quiet", action="store_true", help="no progress")
    files.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="say each attempt that failed and each reply without a score",
    )
    files.add_argument(
        "--log-file",
        type=path,
        metavar="FILE",
        help="add to FILE, with dates: what -v says, how far the run is, and all that is said",
    )


def run(arguments: argparse.Namespace, argv: Sequence[str]) -> int:
    """Score, show, keep; return the exit code."""
    from rmjudge.cli.logs import logged

    with logged(arguments.log_file, verbose=arguments.verbose):
        return _run(arguments, argv)


def _run(arguments: argparse.Namespace, argv: Sequence[str]) -> int:
    import asyncio

    from rmjudge.cli.console import people, say
    from rmjudge.cli.logs import PROGRESS, SAID
    from rmjudge.running.preparation import prepare
    from rmjudge.running.signals import draining
    from rmjudge.session import execute

    models, options = models_and_options(arguments)
    # A dry run tells the price to someone who has no key yet.
    prepared = prepare(models, options, notice=say, need_keys=not arguments.dry_run)
    if arguments.dry_run:
        return _dry_run(prepared, as_json=arguments.json)
    resume = shlex.join(["rmjudge", *_without_secrets(argv)])
    SAID.info("%s", resume)
    watch = None
    if arguments.log_file or not arguments.quiet:
        from rmjudge.render.progress import watcher

        told = partial(PROGRESS.info, "%s") if arguments.log_file else None
        watch = watcher(None if arguments.quiet else people(), told)
    finished = asyncio.run(execute(prepared, watch=watch, started=draining(say), resume=resume))
    _show(finished, resume, as_json=arguments.json)
    _log_end(finished)
    _say_failed_checks(finished)
    _write_step_summary(finished, prepared.data.label, resume)
    if finished.stopped is not None:
        _say_stopped(finished, resume)
    else:
        _say_relieved(finished, resume)
    return finished.exit_code


def _log_end(finished: Run) -> None:
    """Log what the tables say first, and the exit code."""
    from rmjudge.cli.logs import SAID
    from rmjudge.runs.conclusions import conclusion_lines

    for line in conclusion_lines(finished.results):
        SAID.info("%s", line)
    SAID.info("exit code %d", finished.exit_code)


def _say_failed_checks(finished: Run) -> None:
    """Say why the exit code is 4, which no table shows."""
    from rmjudge.cli.console import say
    from rmjudge.runs.checks import UNDER_EXIT

    for check in finished.checks:
        if not check.passed and check.exit_code == UNDER_EXIT:
            say(f"rmjudge: {check.scorer}: {check.told} (--fail-under)")


def _write_step_summary(finished: Run, data: str, resume: str) -> None:
    """Add the result to the page of a step of GitHub Actions, which names the file for it."""
    import os
    from pathlib import Path

    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        return
    from rmjudge.render.commands.run_checks import to_step_summary
    from rmjudge.runs.writing import append_report

    end = f"Exit code {finished.exit_code}."
    if finished.stopped is not None:
        end = f"Stopped: {finished.stopped}. To go on: {resume}"
    summary = to_step_summary(finished.results, finished.checks, data=data, end=end)
    append_report(Path(place), summary)


def _without_secrets(argv: Sequence[str]) -> list[str]:
    """The words without the values of headers, which may be keys: this is shown and kept."""
    return [
        re.sub(r"^((?:--header=)?+[^=]+=)(?!env:).*", r"\1...", word, flags=re.DOTALL)
        if before == "--header" or word.startswith("--header=")
        else word
        for before, word in zip(["", *argv], argv, strict=False)
    ]


def _show(finished: Run, resume: str, *, as_json: bool) -> None:
    import json
    import sys

    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.render.commands.benchmarks import report_of

    # What people read goes to standard error when standard output belongs to a program.
    console = tables(to_stderr=as_json)
    # Of a key that was refused one line tells all; tables of nothing would hide it.
    every: list[ScorerResult | ItemResult] = [*finished.results, *finished.items]
    if any(result.has_scores for result in every):
        if not as_json or sys.stderr.isatty():
            console.print(report_of(finished.results, finished.items))
    elif finished.stopped is None:
        for result in every:
            say(f"{result.metrics.scorer}: nothing is scored: {result.note}")
    if as_json:
        from rmjudge.render.commands.report_data import to_json

        about: dict[str, Json] = {
            "folder": str(finished.folder),
            "exit_code": finished.exit_code,
            "stopped": str(finished.stopped) if finished.stopped else None,
            "resume": resume if _goes_on(finished) else None,
        }
        if finished.decision is not None:
            about["decision"] = finished.decision.to_json()
        told = json.loads(to_json(finished.results)) if finished.results else {}
        if finished.items:
            from rmjudge.render.commands.benchmarks import to_data

            told["benchmarks"] = to_data(finished.items)
        print_json({**about, **told})
    if finished.decision is not None:
        from rmjudge.render.commands.run import decision_line

        say(decision_line(finished.decision))
    say(f"results: {finished.folder}")


def _say_stopped(finished: Run, resume: str) -> None:
    from rmjudge.cli.console import say

    verb = "" if isinstance(finished.stopped, Interrupted) else "stopped: "
    reasons = [result.stopped for result in finished.results]
    reasons += [result.stopped for result in finished.items]
    for reason in dict.fromkeys(reason for reason in reasons if reason):
        say(f"rmjudge: {verb}{reason}")
    if _goes_on(finished):
        say("every answer so far is kept; to go on, run:")
        say(f"  {resume}")


def _goes_on(finished: Run) -> bool:
    """Whether the same command would get further: not where a model was refused."""
    return finished.stopped is not None and not isinstance(finished.stopped, ModelRefused)


def _say_relieved(finished: Run, resume: str) -> None:
    """Say which scorers stopped and had their tuples scored by the fallback."""
    from rmjudge.cli.console import say

    reasons = dict.fromkeys(result.stopped for result in finished if result.stopped)
    for reason in reasons:
        say(f"rmjudge: stopped: {reason}")
    if reasons or any(result.combined for result in finished):
        say("the fallback scored what was left; to have the models named score it, run again:")
        say(f"  {resume}")


def _dry_run(prepared: Prepared, *, as_json: bool) -> int:
    import asyncio

    from rmjudge.cli.console import print_json, tables
    from rmjudge.render.commands.run import estimate_sheet, expectation_sheet
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.running.estimate import ceilings, estimate

    estimates = asyncio.run(estimate(prepared))
    reached = list(ceilings(estimates, prepared.options))
    told: list[Json] = [*reached]
    sheets = [estimate_sheet(estimates, reached)]
    found: dict[str, Json] = {
        "dry_run": [item.to_json() for item in estimates],
        "ceilings": told,
    }
    if prepared.deciding is not None:
        from rmjudge.statistics.sequential import expectations

        counts = Counter(item.domain for item in prepared.data)
        expect = expectations(list(counts.values()))
        found["expected"] = [item.to_json() for item in expect]
        sheets.append(expectation_sheet(expect))
    if as_json:
        print_json(found)
    else:
        tables().print(sheets_renderable(sheets))
    return 0
