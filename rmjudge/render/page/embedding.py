"""What the page's script reads: tuples and outcomes at once, texts and words packed.

Texts are kept once, however many cells share them, and gzipped: a browser unpacks them in a
fraction of a second, and the page is a third of the size.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from rmjudge.calls import Answer, Choice, Json, Reward, Text, Unscored, Verdict
from rmjudge.runs.statements import Statement
from rmjudge.runs.views import Outcome, View, ViewedTuple
from rmjudge.text import one_line
from rmjudge.vocabulary import CELLS

CHUNK: Final = 64
"""Tuples whose words are unpacked together, when one of them is opened."""


@dataclass(slots=True)
class _Pool:
    """Texts, each once; `number` gives its place."""

    texts: dict[str, int] = field(default_factory=dict)

    def number(self, text: str) -> int:
        return self.texts.setdefault(text, len(self.texts))


def index_of(view: View) -> dict[str, Json]:
    """Scorers and tuples: domain, id, subset, and for each scorer its nine credits and rewards.

    An outcome is null, `{"c": [9 credits, row by row]}` or that with `"r": [6 rewards]`, the
    chosen first; `"by"` names who scored the tuple in a run of several scorers.
    """
    return {
        "scorers": [scorer.name for scorer in view.scorers],
        "tuples": [
            {
                "d": viewed.domain,
                "i": str(viewed.id),
                "s": viewed.subset,
                "o": [_outcome(outcome) for outcome in viewed.outcomes],
            }
            for viewed in view.tuples
        ],
    }


def _outcome(outcome: Outcome | None) -> Json:
    if outcome is None:
        return None
    found: dict[str, Json] = {"c": [outcome.credits[i][j] for i, j in CELLS]}
    if outcome.chosen is not None and outcome.rejected is not None:
        found["r"] = [*outcome.chosen, *outcome.rejected]
    if outcome.scorer is not None:
        found["by"] = one_line(outcome.scorer)
    return found


def texts_of(view: View) -> dict[str, Json]:
    """For each tuple null or the places of seven texts: prompt, chosen, rejected."""
    pool = _Pool()
    tuples: list[Json] = [_seven(viewed, pool) for viewed in view.tuples]
    return {"texts": list(pool.texts), "tuples": tuples}


def _seven(viewed: ViewedTuple, pool: _Pool) -> Json:
    item = viewed.item
    if item is None:
        return None
    return [pool.number(text) for text in (item.prompt, *item.chosen, *item.rejected)]


def words_of(view: View) -> Iterator[dict[str, Json]]:
    """For each tuple and scorer the statements, `CHUNK` tuples at a time.

    A statement is `[chosen style, rejected style, chosen first, vote, text, answer, model]`:
    text and model are places in `texts`, the answer is a number or the reason there is none.
    """
    for start in range(0, len(view.tuples), CHUNK):
        pool = _Pool()
        tuples: list[Json] = [
            [_statements(outcome.statements, pool) if outcome else [] for outcome in item.outcomes]
            for item in view.tuples[start : start + CHUNK]
        ]
        yield {"texts": list(pool.texts), "tuples": tuples}


def _statements(statements: Sequence[Statement], pool: _Pool) -> Json:
    return [
        [
            said.chosen,
            said.rejected,
            said.chosen_first,
            said.vote,
            pool.number(said.text),
            _answer(said.answer),
            None if said.model is None else pool.number(said.model),
        ]
        for said in statements
    ]


def _answer(answer: Answer) -> Json:
    match answer:
        case Reward(value) | Verdict(value):
            return value
        case Choice(place):
            return place
        case Unscored(status):
            return status
        case Text():  # of a build, which is no run
            return "text"


def inert(data: Json) -> str:
    """JSON that is safe in a script element: ASCII, and nothing in it ends the element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def packed(data: Json) -> str:
    """JSON, gzipped, in base64. Equal data give equal text."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return base64.b64encode(gzip.compress(text.encode("ascii"), 6, mtime=0)).decode("ascii")
