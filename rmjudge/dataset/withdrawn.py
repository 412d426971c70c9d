"""Tuples that were once in a set which `rmjudge build` wrote, and that people took out of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rmjudge.dataset.folders import BUILD_RECORD, WITHDRAWN
from rmjudge.dataset.tuples import BenchTuple

REASONS: Final[Mapping[str, str]] = {
    "not-wrong": "a person found the rejected not to be wrong",
    "both-fine": "a person found both responses to be fine",
    "reviewers-disagree": "reviewers do not agree which response is right",
    "blind-disagrees": "a person who saw it blind did not choose the chosen",
    "fix": "a person changed a text since",
}


def withdrawn(sources: Iterable[str | Path]) -> Iterator[tuple[BenchTuple, str]]:
    """The tuples that are no part of these sources any more, each with one of `REASONS`."""
    for source in sources:
        folder = Path(source)
        if (folder / BUILD_RECORD).is_file() and (folder / WITHDRAWN).is_file():
            for one in json.loads((folder / WITHDRAWN).read_text("ascii")):
                yield bench_tuple(one), one["reason"]


def bench_tuple(fields: Mapping[str, Any]) -> BenchTuple:
    """A tuple as a build writes it."""
    concise, detailed, markdown = fields["chosen"]
    chosen = (concise, detailed, markdown)
    concise, detailed, markdown = fields["rejected"]
    rejected = (concise, detailed, markdown)
    return BenchTuple(fields["id"], fields["domain"], None, fields["prompt"], chosen, rejected)
