"""Answers bought before, taken over under a name of the user's own: `rmjudge cache adopt`."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rmjudge.addresses import canonical, check_url
from rmjudge.cache import inspect
from rmjudge.cache.adopting import copy_answers
from rmjudge.cache.keys import call_key
from rmjudge.calls import (
    Answer,
    Call,
    Choice,
    Failure,
    Json,
    Reply,
    Reward,
    Text,
    Unscored,
    Verdict,
)
from rmjudge.dataset import load
from rmjudge.errors import UsageError
from rmjudge.options import RunOptions
from rmjudge.planning.plan import plan_data
from rmjudge.providers.readers import asker_of
from rmjudge.providers.registry import address_of
from rmjudge.providers.spec import Spec, parse_spec
from rmjudge.running.choosing import settings_of
from rmjudge.running.headers import with_network
from rmjudge.store import key_fields

PROBED: Final = 5
"""Kept questions that are asked again at the new address."""
ALIKE: Final = 1e-3
"""How far rewards of one model may lie apart on two machines, relative or absolute."""
SHORTEST_KEY: Final = 6


@dataclass(frozen=True, slots=True)
class Adopted:
    """A scorer whose answers were taken over; `known` were kept under the name already."""

    key: str
    old: str
    copied: int
    known: int
    probed: int


def adopt(
    text: str, olds: Sequence[str], folder: Path, options: RunOptions, *, unchecked: bool
) -> list[Adopted]:
    """Take over the answers of every scorer that an OLD means; all of them, or none.

    Each way of asking (method, parameters, template) is probed and taken over by itself.

    Raises:
        UsageError: there is nothing to take over, or the new address answers otherwise.
        StopRun: the new address cannot be asked.
    """
    spec = parse_spec(text)
    if spec.own_name is None:
        raise UsageError(f"{text!r} has no NAME of its own; write NAME=PROVIDER/MODEL@URL")
    found = {
        rows.key: rows.identity
        for old in olds
        for rows in _meant(old, spec, inspect.info(folder).scorers)
    }
    probed = {
        key: 0 if unchecked else asyncio.run(_probe(spec, identity, folder, options))
        for key, identity in found.items()
    }
    adopted = []
    for key, identity in found.items():
        copied, known = copy_answers(folder, key, _renamed(identity, spec.own_name))
        adopted.append(Adopted(key, _place(identity), copied, known, probed[key]))
    return adopted


def _renamed(identity: Mapping[str, Json], name: str) -> dict[str, Json]:
    kept = {part: value for part, value in identity.items() if part != "url"}
    return {**kept, "name": name}


def _place(identity: Mapping[str, Json]) -> str:
    where = identity.get("name") or identity.get("url")
    return f"{identity.get('provider')}/{identity.get('model')} at {where}"


def _meant(old: str, spec: Spec, scorers: Sequence[inspect.ScorerRows]) -> list[inspect.ScorerRows]:
    """The scorers of this provider and model that OLD means.

    Raises:
        UsageError: there are none.
    """
    same = [
        rows
        for rows in scorers
        if (rows.identity.get("provider"), rows.identity.get("model"))
        == (spec.provider, spec.model)
        and rows.answers
    ]
    if old.startswith(("http://", "https://")):
        found = [rows for rows in same if _at(rows.identity, old)]
    elif "/" in old:
        meant = parse_spec(old)
        found = [
            rows
            for rows in same
            if meant.model_name == spec.model_name
            and (meant.own_name is None or rows.identity.get("name") == meant.own_name)
            and (meant.url is None or meant.own_name or _at(rows.identity, meant.url))
        ]
    else:
        found = [rows for rows in same if len(old) >= SHORTEST_KEY and rows.key.startswith(old)]
    found = [rows for rows in found if rows.identity.get("name") != spec.own_name]
    if not found:
        raise UsageError(
            f"{old}: no kept answers of {spec.model_name} are meant by this; OLD is "
            "PROVIDER/MODEL[@URL], an address, or a key of `rmjudge cache info`"
        )
    return found


def _at(identity: Mapping[str, Json], url: str) -> bool:
    kept = identity.get("url")
    return isinstance(kept, str) and canonical(kept) == canonical(check_url(url))


async def _probe(
    spec: Spec, identity: Mapping[str, Json], folder: Path, options: RunOptions
) -> int:
    """Ask kept questions at the new address; return how many were.

    Raises:
        UsageError: none is in the data, or an answer differs.
    """
    calls = _calls(identity, options)
    kept = inspect.replies(folder, identity, list(calls))
    scored = {k: reply for k, reply in kept.items() if not isinstance(reply.answer, Unscored)}
    if not scored:
        raise UsageError(
            f"{_place(identity)}: no kept question is in the data, so none can be asked again; "
            "name the data with --data SOURCE, or take the answers over with --unchecked"
        )
    chosen = sorted(scored)[:PROBED]
    settings = settings_of(spec, options)
    settings, _ = with_network(spec, settings, options, address_of(spec, settings))
    scorer = asker_of(identity, spec, settings)
    try:
        for key in chosen:
            (outcome,) = await scorer.answer([calls[key]])
            now = outcome if isinstance(outcome, Failure) else outcome.answer
            if not _equal(scored[key].answer, now):
                raise UsageError(
                    f"{spec.name}: it answers a kept question otherwise than "
                    f"{_place(identity)} did: {_told(now)} in place of {_told(scored[key])}; "
                    "nothing was taken over. If that is to be expected (answers are sampled), "
                    "use --unchecked"
                )
    finally:
        await scorer.aclose()
    return len(chosen)


def _calls(identity: Mapping[str, Json], options: RunOptions) -> dict[str, Call]:
    method = "pointwise" if identity.get("method") == "pointwise" else "pairwise"
    data = load(options.data)
    plans = plan_data(data, "pointwise" if method == "pointwise" else "pairwise", "both", 0)
    return {call_key(key_fields(call)): call for plan in plans for call in plan.calls}


def _equal(kept: Answer, now: Answer | Failure) -> bool:
    match kept, now:
        case Reward(one), Reward(other):
            return math.isclose(one, other, rel_tol=ALIKE, abs_tol=ALIKE)
        case Verdict(one), Verdict(other):
            return math.isclose(one, other, abs_tol=ALIKE)
    return False


def _told(found: Answer | Failure | Reply) -> str:
    match found:
        case Reply():
            return _told(found.answer)
        case Reward(value):
            return f"a reward of {value:g}"
        case Verdict(first):
            return f"a credit of {first:g} for the first"
        case Unscored(status, detail) | Failure(status, detail):
            return f"{status} ({detail})"
        case Choice(place):
            return f"the response at place {place + 1}"
        case Text():
            return "a text"
