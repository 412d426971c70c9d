"""Tuples of RM-Bench that are known not to be what they claim, with the reason.

Known by their texts: another data set may use the same ids for other tuples. `flagged.json` holds
facts alone, ids, digests and findings: of the 192 code tuples in languages other than Go, in the
Markdown style, run against the tests of HumanEval-X, 127 are what they claim.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from rmjudge.dataset.tuples import BenchTuple
from rmjudge.vocabulary import TupleKey

REASONS: Final[Mapping[str, str]] = {
    "inverted": "the rejected passes the tests, the chosen fails them",
    "both-fail": "both fail the tests",
    "both-pass-verbatim": "both pass the tests",
    "both-pass-with-usual-imports": "both pass the tests once the usual imports are there",
    "rejected-does-not-build": "the rejected does not build, so no test tells that it is wrong",
    "neither-builds": "neither builds",
}
_FILE: Final = Path(__file__).with_name("flagged.json")
_DIGITS: Final = 32


def flagged(items: Iterable[BenchTuple]) -> dict[TupleKey, str]:
    """The tuples that are known to be bad, each with its reason, one of `REASONS`."""
    known = _known()
    found = ((item.key, known.get(texts_digest(item), "")) for item in items)
    return {key: reason for key, reason in found if reason}


def texts_digest(item: BenchTuple) -> str:
    """A hash of a tuple's seven texts, whatever its id."""
    raws = [
        text.encode("utf-8", "surrogatepass")
        for text in (item.prompt, *item.chosen, *item.rejected)
    ]
    content = b"".join(b"%d:%b" % (len(raw), raw) for raw in raws)
    return hashlib.sha256(content).hexdigest()[:_DIGITS]


@lru_cache(maxsize=1)
def _known() -> Mapping[str, str]:
    stored = json.loads(_FILE.read_text("ascii"))
    return {one["texts"]: one["reason"] for one in stored["tuples"]}
