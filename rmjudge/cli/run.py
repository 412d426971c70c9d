"""`rmjudge run`."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from rmjudge.calls import Json
from rmjudge.cli.console import people, print_json, say, tables
from rmjudge.config import read_config
from rmjudge.errors import Interrupted, ModelRefused, UsageError
from rmjudge.options import LocalOptions, RunOptions
from rmjudge.running.preparation import Prepared, prepare
from rmjudge.running.signals import draining
from rmjudge.session import Run, execute


def run(arguments: argparse.Namespace, argv: Sequence[str]) -> int:
    """Score, show, keep; return the exit code."""
    models, options = _options(arguments)
    # A dry run tells the price to someone who has no key yet.
    prepared = prepare(models, options, notice=say, need_keys=not arguments.dry_run)
    if arguments.dry_run:
        return _dry_run(prepared, as_json=arguments.json)
    resume = shlex.join(["rmjudge", *argv])
    watch = None
    if not arguments.quiet:
        from rmjudge.render.progress import watcher

        watch = watcher(people())
    finished = asyncio.run(execute(prepared, watch=watch, started=draining(say), resume=resume))
    _show(finished, resume, as_json=arguments.json)
    if finished.stopped is not None:
        _say_stopped(finished, resume)
    else:
        _say_relieved(finished, resume)
    return finished.exit_code


def _options(arguments: argparse.Namespace) -> tuple[list[str], RunOptions]:
    """Lay the command line over the configuration file."""
    config = Path(arguments.config) if arguments.config else None
    values = read_config(config)
    given = {
        "data": arguments.data,
        "out": arguments.out,
        "method": arguments.method,
        "votes": arguments.votes,
        "template": arguments.template,
        "order": arguments.order,
        "seed": arguments.seed,
        "domains": arguments.domains,
        "limit": arguments.limit,
        "base_url": arguments.base_url,
        "concurrency": arguments.concurrency,
        "rpm": arguments.rpm,
        "tpm": arguments.tpm,
        "deadline": arguments.deadline,
        "outage": arguments.outage,
        "max_cost": arguments.max_cost,
        "max_calls": arguments.max_calls,
        "fallback": arguments.fallback,
        "offline": arguments.offline or None,
        "cache_dir": arguments.cache_dir,
        **{item.name: getattr(arguments, item.name) for item in fields(LocalOptions)},
    }
    values |= {name: value for name, value in given.items() if value is not None}
    if arguments.params:
        values["params"] = {**values.get("params", {}), **_params(arguments.params)}
    models = arguments.models or values.get("models", [])
    values.pop("models", None)
    for name in ("data", "domains"):
        if name in values:
            values[name] = tuple(values[name])
    for name in ("out", "cache_dir", "template"):
        if name in values:
            values[name] = Path(values[name]).expanduser()
    return models, RunOptions(**values)


def _params(texts: Sequence[str]) -> Mapping[str, Json]:
    params: dict[str, Json] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        try:
            if not (name and equals):
                raise ValueError("it has no =")
            params[name] = json.loads(value, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"--param {text!r} is not NAME=JSON: {error}; write temperature=0.5, or "
                "reasoning_effort='\"low\"' for a text"
            ) from None
    return params


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _show(finished: Run, resume: str, *, as_json: bool) -> None:
    from rmjudge.render.commands.report import report_renderable

    # What people read goes to standard error when standard output belongs to a program.
    console = tables(to_stderr=as_json)
    if not as_json or sys.stderr.isatty():
        console.print(report_renderable(finished.results))
    if as_json:
        from rmjudge.render.exports import to_json

        about: dict[str, Json] = {
            "folder": str(finished.folder),
            "exit_code": finished.exit_code,
            "stopped": str(finished.stopped) if finished.stopped else None,
            "resume": resume if _goes_on(finished) else None,
        }
        print_json({**about, **json.loads(to_json(finished.results))})
    say(f"results: {finished.folder}")


def _say_stopped(finished: Run, resume: str) -> None:
    verb = "" if isinstance(finished.stopped, Interrupted) else "stopped: "
    for reason in dict.fromkeys(result.stopped for result in finished if result.stopped):
        say(f"rmjudge: {verb}{reason}")
    if _goes_on(finished):
        say("every answer so far is kept; to go on, run:")
        say(f"  {resume}")


def _goes_on(finished: Run) -> bool:
    """Whether the same command would get further: not where a model was refused."""
    return finished.stopped is not None and not isinstance(finished.stopped, ModelRefused)


def _say_relieved(finished: Run, resume: str) -> None:
    """Say which scorers stopped and had their tuples scored by the fallback."""
    reasons = dict.fromkeys(result.stopped for result in finished if result.stopped)
    for reason in reasons:
        say(f"rmjudge: stopped: {reason}")
    if reasons or any(result.combined for result in finished):
        say("the fallback scored what was left; to have the models named score it, run again:")
        say(f"  {resume}")


def _dry_run(prepared: Prepared, *, as_json: bool) -> int:
    from rmjudge.render.commands.run import estimate_sheet
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.running.estimate import estimate

    estimates = asyncio.run(estimate(prepared))
    if as_json:
        print_json({"dry_run": [item.to_json() for item in estimates]})
    else:
        tables().print(sheets_renderable([estimate_sheet(estimates)]))
    return 0
