"""`rmjudge providers`: the table of providers, for a terminal and for the documentation."""

from __future__ import annotations

from collections.abc import Sequence

from rmjudge.calls import Json
from rmjudge.providers.listing import Listing
from rmjudge.render.sheets import Aside, Sheet


def providers_sheet(listings: Sequence[Listing]) -> Sheet:
    """Name, kind, key, whether it is set, and address."""
    return Sheet(
        title="",
        header=("Provider", "What", "Key", "", "Address"),
        rows=tuple(
            (
                item.name,
                item.what.partition(" ")[0],
                " or\n".join(item.key_variables) or "none",
                _state(item),
                item.address or (f"@URL or {item.url_variable}" if item.url_variable else "-"),
            )
            for item in listings
        ),
        words=frozenset({1, 2, 3, 4}),
        aside=Aside("Addresses", frozenset({4})),
    )


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
