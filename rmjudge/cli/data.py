"""`rmjudge data check`, `rmjudge data new`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import add_command, add_json, add_option, add_sandbox
from rmjudge.errors import UsageError
from rmjudge.options import OPTIONS
from rmjudge.options.written import path, source

if TYPE_CHECKING:
    from pathlib import Path

    from rmjudge.benchmarks.items import ItemSet
    from rmjudge.calls import Json


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "data", check, help="look at a data set")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    checking = actions.add_parser(
        "check",
        help="validate and summarise",
        description="Validate and summarise a data set.",
        allow_abbrev=False,
    )
    checking.add_argument("sources", nargs="+", type=source, metavar="SOURCE")
    for name in ("benchmark", "columns"):
        add_option(checking, OPTIONS[name])
    add_json(checking)
    auditing = actions.add_parser(
        "audit",
        help="run code tuples against tests",
        description="Run the Markdown responses of code tuples against given tests, in a sandbox, "
        "and list the tuples that are not what they claim: the chosen passes, the rejected fails "
        "a test.",
        allow_abbrev=False,
    )
    auditing.add_argument("sources", nargs="+", type=source, metavar="SOURCE")
    auditing.add_argument(
        "--tests",
        type=path,
        required=True,
        metavar="FILE",
        help=".jsonl or .json: id of the tuple, tests, language, and entry_point if you know it",
    )
    add_sandbox(auditing)
    add_json(auditing)
    auditing.set_defaults(handler=audit)
    writing = actions.add_parser(
        "new",
        help="write a file with one tuple to copy from",
        description="Write a file with one tuple, to copy from for tuples of your own.",
        allow_abbrev=False,
    )
    writing.add_argument("file", type=path, metavar="FILE", help=".json (a list) or .jsonl")
    writing.set_defaults(handler=new)


def new(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Write the template, never over a file, and say what comes next."""
    import shlex

    from rmjudge.cli.console import say
    from rmjudge.dataset.template import write_template

    write_template(arguments.file)
    name = shlex.quote(str(arguments.file))
    say(f"{name} has one tuple: copy it for your own, then `rmjudge data check {name}`")
    return 0


def audit(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Run, then list what is not as it claims. What is found is no failure."""
    from rmjudge.building.code_audit import audited, read_tests, unmatched
    from rmjudge.cli.code import sandbox_for
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.dataset import load
    from rmjudge.render.commands.code_audit import audit_json, audit_sheets
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.text import label

    tests = read_tests(arguments.tests)
    items = [item for item in load(arguments.sources, notice=say) if item.domain == "code"]
    for name in unmatched(items, tests):
        say(f"no code tuple has the id {label(name)}: its tests are not run")
    items = [item for item in items if str(item.id) in tests]
    if not items:
        raise UsageError(f"{arguments.tests} has tests of none of these code tuples")
    wanted = {tests[str(item.id)].language for item in items}
    sandbox = sandbox_for(arguments, wanted)
    assert sandbox is not None  # noqa: S101, there is a language
    try:
        found = [audited(sandbox, item, tests[str(item.id)]) for item in items]
    finally:
        sandbox.close()
    if arguments.json:
        named = ", ".join(map(str, arguments.sources))
        print_json(audit_json(found, f"{named}; {arguments.tests}; {sandbox.name}"))
    else:
        tables().print(sheets_renderable(audit_sheets(found)))
    return 0


def check(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Validate, then say what the data holds. Problems raise a DataError."""
    from rmjudge.benchmarks.sets import load_sets
    from rmjudge.building.folder import builds_among
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.dataset import load, summarise
    from rmjudge.render.commands.data import summary_renderable, summary_to_json
    from rmjudge.statistics.looks import looks_of

    sources, sets = load_sets(
        arguments.sources,
        name=arguments.benchmark,
        columns=dict(arguments.columns or ()),
        notice=say,
    )
    if sets:
        return _check_sets(sources, sets, as_json=arguments.json)
    data = load(sources, notice=say)
    summary = summarise(data)
    looks = looks_of(data)
    builds = builds_among(sources)
    if arguments.json:
        from rmjudge.render.commands.build import quality_json

        made: Json = {str(folder): quality_json(found) for folder, found in builds.items()}
        told = summary_to_json(summary, looks)
        print_json({**told, "builds": made} if builds else told)
    else:
        from rmjudge.render.commands.build import build_sheets

        sheets = [sheet for found in builds.values() for sheet in build_sheets(found)]
        tables().print(summary_renderable(summary, looks, sheets))
    return 0


def _check_sets(sources: Sequence[str | Path], sets: Sequence[ItemSet], *, as_json: bool) -> int:
    """Say what sets beside RM-Bench hold."""
    from rmjudge.cli.console import print_json, tables
    from rmjudge.render.commands.benchmark_tables import check_sheet
    from rmjudge.render.terminal.listings import sheets_renderable

    if sources:
        raise UsageError(
            f"{sources[0]} is RM-Bench's, and other sources are of {sets[0].name}: check them apart"
        )
    sheets = [check_sheet(one) for one in sets]
    if as_json:
        print_json(
            {
                one.name: [dict(zip(sheet.header, row, strict=True)) for row in sheet.rows]
                for one, sheet in zip(sets, sheets, strict=True)
            }
        )
    else:
        tables().print(sheets_renderable(sheets))
    return 0
