"""The models that a server has, for whoever misspelt one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from rmjudge.calls import Json
from rmjudge.providers.base import Provider, as_list, member
from rmjudge.providers.sending.exchange import Ask, Exchange, LostError, UnsentError
from rmjudge.text import did_you_mean, shorten

FEW: Final = 8
"""Models that are all named where none is like the one that was asked for."""


async def models_like(provider: Provider, exchange: Exchange) -> str:
    """What a refusal says besides: the listed model that is most like the one asked for.

    Empty where the server lists none in time, or lists this very one. Closes the exchange.
    """
    try:
        reply = await exchange.ask(Ask("GET", provider.models_path or ""))
        names = sorted(set(_names(json.loads(reply.body)))) if reply.status == 200 else []
    except (UnsentError, LostError, ValueError, RecursionError):
        return ""
    finally:
        await exchange.aclose()
    if not names or provider.target.model in names:
        return ""
    otherwise = "the server has" if len(names) <= FEW else ""
    meant = did_you_mean(provider.target.model, names, otherwise)
    return f"; {shorten(meant, 300)}" if meant else ""


def _names(body: Json) -> Iterator[str]:
    """The names in a list of OpenAI's or Anthropic's form, in Google's, or in a bare one."""
    listed = body if isinstance(body, list) else member(body, "data") or member(body, "models")
    for item in as_list(listed):
        name = member(item, "id") or member(item, "name")
        if isinstance(name, str):
            yield name.removeprefix("models/")
