"""`rmjudge batches list|show|fetch|cancel|resolve`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmjudge.cli.arguments import (
    add_cache_dir,
    add_command,
    add_config,
    add_json,
    add_option,
    given_options,
)
from rmjudge.errors import UsageError
from rmjudge.options import OPTIONS

if TYPE_CHECKING:
    from rmjudge.cache.ledger import Chunk
    from rmjudge.options import RunOptions
    from rmjudge.running.batches.upkeep import Upkeep


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "batches", batches, help="look after batches at vendors")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    about = {
        "list": "the batches, as this machine knows them; asks no vendor",
        "show": "all that is known of one batch",
        "fetch": "look at every batch, and get the results of those that have ended",
        "cancel": "have a vendor stop a batch; what has run stays billed, and is kept",
        "resolve": "say what became of a batch that nobody else can decide on",
    }
    for name, help in about.items():
        action = actions.add_parser(name, help=help, allow_abbrev=False)
        if name in ("show", "cancel", "resolve"):
            number = "?" if name == "cancel" else None
            action.add_argument("uid", metavar="UID", nargs=number, help="as `list` prints it")
        if name == "cancel":
            action.add_argument("--all", action="store_true", help="all that are open")
        if name == "resolve":
            how = action.add_mutually_exclusive_group(required=True)
            how.add_argument("--adopt", metavar="ID", help="the vendor's id of this batch")
            how.add_argument(
                "--not-submitted", action="store_true", help="the vendor has nothing of it"
            )
            how.add_argument(
                "--accept", action="store_true", help="read results that were put aside"
            )
            how.add_argument(
                "--discard", action="store_true", help="drop results, and buy the calls again"
            )
        if name in ("fetch", "cancel", "resolve"):
            add_option(action, OPTIONS["key_env"])
            add_option(action, OPTIONS["headers"])
            add_config(action)
        add_cache_dir(action)
        add_json(action, "one JSON object")


def batches(arguments: argparse.Namespace, _argv: Sequence[str]) -> int:
    """Look after batches; what became of each is in what is printed."""
    import asyncio

    from rmjudge.cache.answers import AnswerCache, default_folder
    from rmjudge.cache.inspect import require
    from rmjudge.cache.ledger import read_chunks
    from rmjudge.cli.console import print_json, say, tables
    from rmjudge.render.commands import batches as shown
    from rmjudge.render.terminal.listings import sheets_renderable
    from rmjudge.running.batches import upkeep

    folder: Path = require(arguments.cache_dir or default_folder())
    chunks = read_chunks(folder)
    if arguments.action in ("show", "resolve") or getattr(arguments, "uid", None):
        chunks = [upkeep.named(chunks, arguments.uid)]
    elif arguments.action == "cancel" and not arguments.all:
        raise UsageError("name the batch, or say --all")
    left: list[str] = []
    if arguments.action not in ("list", "show"):
        with AnswerCache(folder) as cache:
            work = upkeep.Upkeep(cache, _options(arguments))
            chunks = asyncio.run(_acted(work, chunks, arguments))
        for line in work.told:
            say(line)
        left = work.left
        if left and not chunks:
            raise UsageError("; ".join(left))
    if arguments.json:
        print_json({"batches": [shown.batch_to_json(chunk) for chunk in chunks]})
    elif arguments.action == "list":
        tables().print(sheets_renderable([shown.batches_sheet(chunks)]))
    else:
        tables().print(sheets_renderable([shown.batch_sheet(chunk) for chunk in chunks]))
    for line in left:
        say(f"not asked about: {line}")
    return UsageError.exit_code if left else 0


async def _acted(
    work: Upkeep, chunks: Sequence[Chunk], arguments: argparse.Namespace
) -> list[Chunk]:
    match arguments.action:
        case "fetch":
            return await work.fetch(chunks)
        case "cancel":
            return await work.cancel(chunks)
        case _:
            return [await _resolve(work, chunks[0], arguments)]


async def _resolve(work: Upkeep, chunk: Chunk, arguments: argparse.Namespace) -> Chunk:
    if arguments.adopt:
        return await work.adopt(chunk, arguments.adopt)
    if arguments.not_submitted:
        return await work.not_submitted(chunk)
    return await (work.accept(chunk) if arguments.accept else work.discard(chunk))


def _options(arguments: argparse.Namespace) -> RunOptions:
    """What the user says about keys and headers."""
    from rmjudge.config import laid_over, read_config, run_options

    given = given_options(arguments)
    kept: dict[str, Any] = {n: given[n] for n in ("key_env", "headers") if n in given}
    file = read_config(arguments.config)
    wanted = ("key_env", "headers", "network", "client_cert", "client_key", "providers")
    about = {name: value for name, value in file.items() if name in wanted}
    return run_options(laid_over(about, kept))
