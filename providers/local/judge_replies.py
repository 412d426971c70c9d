"""What a local judge's replies look like on disk, and how they are read. Pure.

`{"text", "finish"}` holds what was written, `finish` being `stop` or `length`; `{"places"}` the
likeliest tokens of the first places, each with the token that was put `after` which it stands.
Both count tokens.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Final

from rmjudge.calls import Json, Reply, Unscored, Usage
from rmjudge.judging.methods import JudgingMethod
from rmjudge.judging.replies import Alternatives, ChatReply
from rmjudge.providers.base import count, is_logprob, member

DIALECT: Final = "local-chat/1"
"""Of `chat_reply`; a new version re-reads kept replies."""


def parser_of(judging: JudgingMethod) -> str:
    """What reads a kept reply: this module's form, then the method's parser."""
    return f"{DIALECT}+{judging.parser}"


def reply_of(raw: Json, judging: JudgingMethod) -> Reply:
    """What is kept of a reply, and the answer that the method reads in it."""
    reply, usage = chat_reply(raw)
    kept = json.dumps(raw, separators=(",", ":"))
    return Reply(judging.read(reply), kept, parser_of(judging), usage)


def chat_reply(raw: Json) -> tuple[ChatReply, Usage]:
    """Read a kept reply: `{"text", "finish"}` or `{"places"}`, with token counts."""
    usage = Usage(count(member(raw, "input_tokens")), count(member(raw, "output_tokens")))
    places = member(raw, "places")
    if isinstance(places, list):
        return ChatReply("", tokens=_tokens(places)), usage
    text = member(raw, "text")
    text = text if isinstance(text, str) else ""
    withheld = None
    if member(raw, "finish") == "length":
        withheld = Unscored("truncated", "the answer ran into the token limit")
    elif not text.strip():
        withheld = Unscored("empty", "no content")
    return ChatReply(text, withheld), usage


def _tokens(places: Sequence[Json]) -> tuple[Alternatives, ...]:
    """The alternatives of each place; what follows a "1" says how much of it is a "10"."""
    found: list[Alternatives] = []
    for place in places:
        alternatives = {
            token: float(value)
            for token, value in (member(place, "tokens") or {}).items()
            if is_logprob(value)
        }
        after = member(place, "after")
        if found and isinstance(after, str) and after.strip() == "1":
            found[-1] = _with_ten(found[-1], after, alternatives)
        else:
            found.append(alternatives)
    return tuple(found)


def _with_ten(place: Alternatives, one: str, following: Alternatives) -> Alternatives:
    """P("10") = P("1") P("0" | "1"), exact whichever rating is the likeliest."""
    zero = math.fsum(math.exp(lp) for token, lp in following.items() if token.strip() == "0")
    if not zero or one not in place:
        return place
    ten = {f"{one}0": place[one] + min(0.0, math.log(zero))}
    rest = {one: place[one] + math.log1p(-zero)} if zero < 1 else {}
    return {**{token: lp for token, lp in place.items() if token != one}, **rest, **ten}
