"""The files of a build: what the models brought, and what people decided, laid together.

`outcomes.jsonl` has a line of what the build was made from, and a line a prompt, as the models
left it. All other files follow from it and from `decisions/`: writing them again gives the same
bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rmjudge.calls import Json
from rmjudge.dataset.folders import BUILD_RECORD, BUILT, WITHDRAWN
from rmjudge.errors import StorageStopped, UsageError
from rmjudge.runs.writing import write_report
from rmjudge.text import quote, slug

OUTCOMES: Final = "outcomes.jsonl"
PROVENANCE: Final = "provenance.jsonl"
REJECTS: Final = "rejects.jsonl"
QUEUE: Final = "queue.jsonl"
UNDO: Final = "undo"
"""Of a person: the decision before does not count."""
FIX: Final = "fix"
"""Of a person: one side has these texts now."""
DECISIONS: Final = "decisions"
_DECIDES: Final = {"yes": "kept", "no": "rejected", "both": "rejected", "neither": "rejected"}
"""Of a person: the rejected is really wrong; it is not; both are fine; both are wrong."""


@dataclass(frozen=True, slots=True)
class Settled:
    """Where every prompt of a build is, people's decisions counted."""

    outcomes: tuple[dict[str, Any], ...]

    def of(self, state: str) -> list[dict[str, Any]]:
        """The prompts in one state: kept, queued, rejected or open."""
        return [item for item in self.outcomes if item["state"] == state]

    @property
    def counts(self) -> dict[str, int]:
        """How many prompts were offered, and how many are in each state."""
        states = Counter(item["state"] for item in self.outcomes)
        names = ("kept", "queued", "rejected", "open")
        return {"offered": len(self.outcomes), **{name: states[name] for name in names}}

    @property
    def reasons(self) -> list[tuple[str, str, str, int]]:
        """(state, step, reason, number) of all that is not kept, in a fixed order."""
        found = Counter(
            (item["state"], item.get("step", ""), item["reason"])
            for item in self.outcomes
            if item["state"] != "kept"
        )
        return [(*place, count) for place, count in sorted(found.items())]


def digest_of(item: Mapping[str, Any]) -> str:
    """A hash of a tuple's texts: a decision holds for these alone."""
    text = json.dumps(item, sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def settled(
    outcomes: Sequence[Mapping[str, Any]], decisions: Sequence[Mapping[str, Any]]
) -> Settled:
    """Let people's decisions count, and each text only once."""
    by_texts: dict[str, list[Mapping[str, Any]]] = {}
    for decision in decisions:
        by_texts.setdefault(str(decision["texts"]), []).append(decision)
    found: list[dict[str, Any]] = []
    seen: dict[str, object] = {}
    for outcome in outcomes:
        item = dict(outcome)
        versions, said, history = _with_fixes(item["tuple"], by_texts)
        *item["before"], item["tuple"] = versions
        if history:
            item["provenance"] = {**item["provenance"], "decisions": [dict(one) for one in history]}
        if said and item["state"] in ("kept", "queued"):
            item |= _decided(item, said)
        if item["state"] == "kept":
            texts = {**item["tuple"], "id": None}
            first = seen.setdefault(digest_of(texts), item["tuple"]["id"])
            if first != item["tuple"]["id"]:
                item |= {"state": "rejected", "step": "set", "reason": "duplicate"}
                item["detail"] = f"the same tuple as {first}"
        found.append(item)
    return Settled(tuple(found))


def _with_fixes(
    about: Mapping[str, Any], by_texts: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[list[dict[str, Any]], list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """A tuple as people fixed it, after its versions before; the decisions about it, and all.

    Whoever fixes a text says that the tuple is right now. Two fixes of one text: the last counts.
    """
    versions = [dict(about)]
    texts = digest_of(about)
    said = list(by_texts.get(texts, ()))
    history, seen = list(said), {texts}
    while fixes := [one for one in standing(said) if one["verdict"] == FIX]:
        fix = fixes[-1]
        found = {**versions[-1], fix["side"]: list(fix["responses"])}
        texts = digest_of(found)
        if texts in seen:
            break
        seen.add(texts)
        versions.append(found)
        word = {name: fix[name] for name in ("id", "reviewer")}
        said = [{**word, "texts": texts, "verdict": "yes"}, *by_texts.get(texts, ())]
        history += said
    return versions, said, history


def _decided(item: Mapping[str, Any], said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What people make of a tuple: the last word of each counts, and they must agree.

    A blind word alone decides nothing: one against the label lets a kept tuple wait for a person.
    """
    last = last_words(said)
    wanted = {_DECIDES[one["verdict"]] for one in last if one["verdict"] in _DECIDES}
    if all(one.get("blind") for one in last):
        against = item["state"] == "kept" and "rejected" in wanted
        return _waiting("blind-disagrees") if against else {}
    if len(wanted) > 1:
        return _waiting("reviewers-disagree")
    if not wanted:
        return {}
    if wanted == {"kept"}:
        return {"state": "kept", "proof": item["proof"] or "person"}
    verdicts = {one["verdict"] for one in last}
    word = "not-wrong" if verdicts & {"no", "neither"} else "both-fine"
    return {"state": "rejected", "step": "review", "reason": word, "detail": "", "proof": None}


def _waiting(reason: str) -> dict[str, Any]:
    return {"state": "queued", "step": "review", "reason": reason, "detail": "", "proof": None}


def last_words(decisions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The last decision of each reviewer about one tuple, without what was taken back."""
    return list({one["reviewer"]: one for one in standing(decisions)}.values())


def standing(decisions: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The decisions about one tuple, in order, without each that its reviewer took back."""
    found: list[Mapping[str, Any]] = []
    for one in decisions:
        if one["verdict"] != UNDO:
            found.append(one)
            continue
        own = [k for k, other in enumerate(found) if other["reviewer"] == one["reviewer"]]
        if own:
            del found[own[-1]]
    return found


def publish(
    folder: Path, record: Mapping[str, Json], found: Settled, reports: Mapping[str, str]
) -> None:
    """Write all that follows from the outcomes, each file as a whole; `reports` are by name.

    Raises:
        StorageStopped: the folder cannot be written.
    """
    kept, queued = found.of("kept"), found.of("queued")
    tuples = [json.dumps(item["tuple"], indent=1) for item in kept]
    listed = ",\n".join(tuples)
    _write(folder / BUILT, f"[\n{listed}\n]\n" if tuples else "[]\n")
    _write(folder / WITHDRAWN, json.dumps(_withdrawn(found), indent=1) + "\n")
    _lines(
        folder / PROVENANCE,
        [
            {"id": item["tuple"]["id"], "proof": item["proof"], **item["provenance"]}
            for item in kept
        ],
    )
    _lines(
        folder / QUEUE,
        [
            {
                "id": item["tuple"]["id"],
                "reason": item["reason"],
                "detail": item["detail"],
                "tuple": item["tuple"],
                **item["provenance"],
            }
            for item in queued
        ],
    )
    _lines(folder / REJECTS, [_reject(item) for item in found.of("rejected")])
    open_ids = [item["tuple"]["id"] for item in found.of("open")]
    reasons = [
        {"state": state, "step": step, "reason": reason, "prompts": count}
        for state, step, reason, count in found.reasons
    ]
    about = {**record, "prompts": found.counts, "reasons": reasons, "open": open_ids}
    for name, text in reports.items():
        _write(folder / name, text)
    _write(folder / BUILD_RECORD, json.dumps(about, indent=2) + "\n")


def _withdrawn(found: Settled) -> list[dict[str, Any]]:
    """The tuples that people took out, put in doubt or changed, as they were, with the reason."""
    taken = [
        {**item["tuple"], "reason": item["reason"]}
        for item in (*found.of("rejected"), *found.of("queued"))
        if item.get("step") == "review"
    ]
    changed = [{**old, "reason": FIX} for item in found.outcomes for old in item.get("before", ())]
    return [*taken, *changed]


def _reject(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": item["tuple"]["id"],
        "reason": item["reason"],
        "step": item["step"],
        "detail": item["detail"],
        **item["provenance"],
    }


def write_outcomes(
    folder: Path, record: Mapping[str, Json], outcomes: Sequence[Mapping[str, Any]]
) -> None:
    """Write what the models brought, below a line of what the build was made from.

    Raises:
        StorageStopped: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageStopped(f"{folder} cannot be written: {error.strerror}") from error
    _lines(folder / OUTCOMES, [record, *outcomes])


def settle_folder(folder: Path) -> tuple[dict[str, Json], Settled]:
    """What a build was made from, and where its prompts are.

    Raises:
        UsageError: this is no build.
    """
    lines = read_lines(folder / OUTCOMES)
    if not lines:
        raise UsageError(f"{folder} holds no build; `rmjudge build` writes one")
    return lines[0], settled(lines[1:], read_decisions(folder))


def builds_among(sources: Iterable[str | Path]) -> dict[Path, Settled]:
    """The sources of tuples that `rmjudge build` wrote, and where their prompts are.

    Raises:
        UsageError: a file of theirs is damaged.
    """
    folders = [Path(one) for one in sources]
    return {one: settle_folder(one)[1] for one in folders if (one / OUTCOMES).is_file()}


def check_folder(folder: Path) -> None:
    """A build writes into a folder of its own.

    Raises:
        UsageError: there is something else.
    """
    if folder.is_file():
        raise UsageError(f"{folder} is a file; --out names a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / OUTCOMES).is_file():
        raise UsageError(f"{folder} holds other files; name an empty folder, or none that exists")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of lines; none where there is no file.

    A decision that was cut while it was written is left out.

    Raises:
        UsageError: it cannot be read.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    found: list[dict[str, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            if line.strip():
                found.append(json.loads(line))
        except ValueError as error:
            if path.parent.name == DECISIONS:  # a process was killed while it wrote this
                continue
            raise UsageError(f"{path}:{number} is no JSON: {error}") from error
    return found


def read_decisions(folder: Path) -> list[dict[str, Any]]:
    """All reviewers' decisions, reviewer by reviewer, in their order."""
    files = sorted((folder / DECISIONS).glob("*.jsonl"))
    found = [(file, decision) for file in files for decision in read_lines(file)]
    for file, decision in found:
        fields = decision if isinstance(decision, dict) else {}
        if not all(isinstance(fields.get(name), str) for name in ("texts", "reviewer", "verdict")):
            raise UsageError(
                f"{file} has a line that is no decision: {quote(json.dumps(decision))}"
            )
    return [decision for _, decision in found]


def _lines(path: Path, items: Sequence[Mapping[str, Any]]) -> None:
    _write(path, "".join(json.dumps(item) + "\n" for item in items))


def _write(path: Path, text: str) -> None:
    write_report(path, text.encode("ascii", "xmlcharrefreplace").decode("ascii"))


def decisions_file(folder: Path, reviewer: str) -> Path:
    """Where a person's decisions are kept."""
    return folder / DECISIONS / f"{slug(reviewer)}.jsonl"


def append_decision(folder: Path, reviewer: str, decision: Mapping[str, Json]) -> None:
    """Add a person's decision to their file; it is on disk when this returns.

    Raises:
        UsageError: it cannot be written.
    """
    path = decisions_file(folder, reviewer)
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("ab") as file:
            if file.tell() and not path.read_bytes().endswith(b"\n"):
                file.write(b"\n")  # behind a line that a killed process left unfinished
            file.write(f"{json.dumps(decision)}\n".encode("ascii"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
