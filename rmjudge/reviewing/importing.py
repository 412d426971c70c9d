"""Answers that were given elsewhere become decisions of a build: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmjudge.building.folder import Settled, append_decision, digest_of, last_words, settle_folder
from rmjudge.errors import DataError
from rmjudge.reviewing.exchange import Given
from rmjudge.reviewing.tasks import Task
from rmjudge.text import did_you_mean, quote


@dataclass(frozen=True, slots=True)
class Imported:
    """How many decisions were added, and how many the build had already."""

    added: int
    known: int


def take_over(folder: Path, given: Sequence[Given]) -> Imported:
    """Add the answers to the decisions of a build.

    An answer that the build has already is left alone. Nothing is added where one answer is bad.

    Raises:
        DataError: with each answer that is about no tuple of this build, is no answer to its
            question, or stands in the file twice. UsageError: the decisions cannot be written.
    """
    _, found = settle_folder(folder)
    items = _by_texts(found)
    problems = list(_problems(given, items))
    if problems:
        raise DataError(problems)
    added = 0
    for one in given:
        task = Task(items[one.texts], one.texts, one.blind)
        decision = task.decision(one.answer, one.reviewer)
        if decision not in _last(items[one.texts], one.texts):
            append_decision(folder, one.reviewer, decision)
            added += 1
    return Imported(added, len(given) - added)


def _by_texts(found: Settled) -> dict[str, Mapping[str, Any]]:
    """The tuples that a person can judge, by their texts."""
    return {
        digest_of(item["tuple"]): item
        for item in found.outcomes
        if item["tuple"]["chosen"] and item["tuple"]["rejected"]
    }


def _last(item: Mapping[str, Any], texts: str) -> list[Mapping[str, Any]]:
    said = item["provenance"].get("decisions", ())
    return last_words([one for one in said if one["texts"] == texts])


def _problems(given: Sequence[Given], items: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    places: dict[tuple[str, str], str] = {}
    for one in given:
        if one.texts not in items:
            yield f"{one.place}: no tuple of this build has these texts ({quote(one.texts)})"
            continue
        answers = Task(items[one.texts], one.texts, one.blind).answers
        if one.answer not in answers:
            meant = did_you_mean(one.answer, answers)
            yield f"{one.place}: {quote(one.answer)} is no answer; {meant}"
        first = places.setdefault((one.texts, one.reviewer), one.place)
        if first != one.place:
            yield f"{one.place}: {quote(one.reviewer)} has answered this already in {first}"
