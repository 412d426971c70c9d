"""`rmjudge providers`: the table of providers, for a terminal and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from rmjudge.calls import Json
from rmjudge.providers.listing import Listing


def providers_table(listings: Sequence[Listing]) -> Table:
    """Name, kind, address and key; what is missing stands out."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Provider", no_wrap=True)
    table.add_column("What", no_wrap=True)
    table.add_column("Key", overflow="fold", max_width=21)
    table.add_column("", no_wrap=True)
    table.add_column("Address", overflow="fold")
    for item in listings:
        address = item.address or (f"@URL or {item.url_variable}" if item.url_variable else "-")
        names = " or ".join(item.key_variables) or "none"
        table.add_row(
            item.name, item.what.partition(" ")[0], Text(names), _state(item), Text(address)
        )
    return table


def _state(item: Listing) -> str:
    if item.key_set is None:
        return ""
    return "set" if item.key_set else "not set"


def providers_markdown(listings: Sequence[Listing]) -> str:
    """The documentation's table: provider x (method, batch, logprobs, prompt cache, proof)."""
    lines = [
        "| provider | what | methods | calls a request | logprobs | prompt cache | proved by |",
        "|---|---|---|---|---|---|---|",
    ]
    for item in listings:
        cells = (
            f"`{item.name}`",
            item.what,
            ", ".join(item.methods),
            str(item.batch) if item.batch > 1 else "1",
            "yes" if item.logprobs else "-",
            "yes" if item.prompt_cache else "-",
            item.proved_by,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def providers_to_json(listings: Sequence[Listing]) -> dict[str, Json]:
    """For programs."""
    return {
        "providers": [
            {
                "name": item.name,
                "what": item.what,
                "address": item.address,
                "url_variable": item.url_variable,
                "key_variables": list(item.key_variables),
                "key_set": item.key_set,
                "methods": list(item.methods),
                "batch": item.batch,
                "logprobs": item.logprobs,
                "prompt_cache": item.prompt_cache,
                "proved_by": item.proved_by,
                "remark": item.remark,
            }
            for item in listings
        ]
    }
