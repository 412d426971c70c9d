"""Tasks as a file for other tools, and their decisions read back: Label Studio, Argilla, the page.

Label Studio reads a list of tasks and writes them with `annotations`
(https://labelstud.io/guide/task_format); Argilla's records are objects of `fields`, `metadata` and
`responses`, a list (`records.from_json`) or a line each. A file is known by what it holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rmjudge.calls import Json
from rmjudge.errors import DataError, UsageError
from rmjudge.reviewing.showing import LABELS, shown
from rmjudge.reviewing.tasks import Task
from rmjudge.text import error_line, kind_of, quote

FORMATS: Final[Mapping[str, str]] = {
    ".html": "page",
    ".htm": "page",
    ".json": "labelstudio",
    ".jsonl": "argilla",
}
"""What a file is by its ending, where `--format` does not tell."""
PAGE_MARK: Final = "rmjudge decisions"
ANSWER: Final = "answer"
CONFIG: Final = """\
<View>
  <Header value="$title"/>
  <Text name="prompt" value="$prompt"/>
  <Header value="Reference"/>
  <Text name="reference" value="$reference"/>
  <Header value="$name_1"/>
  <Text name="text_1" value="$text_1"/>
  <Header value="$name_2"/>
  <Text name="text_2" value="$text_2"/>
  <Header value="What was said of it"/>
  <Text name="about" value="$about"/>
  <Choices name="answer" toName="prompt" choice="single-radio" required="true" value="$choices"/>
</View>
"""
"""Label Studio's labelling interface for the tasks that are written here."""


@dataclass(frozen=True, slots=True)
class Given:
    """One answer in a file: where it stands, which texts it is about, who gave it."""

    place: str
    texts: str
    blind: bool
    answer: str
    reviewer: str


def format_of(path: Path, named: str | None) -> str:
    """The format that a file is written in.

    Raises:
        UsageError: neither a name nor the ending tells.
    """
    found = named or FORMATS.get(path.suffix.lower())
    if found is None:
        raise UsageError(
            f"--export {path}: the name ends in .html (a page), .json (Label Studio) or .jsonl "
            "(Argilla); --format says it for other names"
        )
    return found


def labelstudio_tasks(tasks: Sequence[Task]) -> str:
    """The tasks as Label Studio imports them."""
    return json.dumps([{"data": _label_studio(task)} for task in tasks], indent=1) + "\n"


def _label_studio(task: Task) -> dict[str, Json]:
    flat = _flat(task)
    choices = flat.pop("choices")
    return {
        **flat,
        "choices": [{"value": word, "html": f"{word}: {LABELS[word][1]}"} for word in choices],
    }


def argilla_records(tasks: Sequence[Task], *, lines: bool) -> str:
    """The tasks as Argilla's records: a line each, or one list as its own export is."""
    records = [_argilla(task) for task in tasks]
    if lines:
        return "".join(json.dumps(record) + "\n" for record in records)
    return json.dumps(records, indent=1) + "\n"


def _argilla(task: Task) -> dict[str, Json]:
    flat = _flat(task)
    hidden = {name: flat.pop(name) for name in ("texts", "blind", "id")}
    flat["choices"] = "; ".join(f"{word}: {LABELS[word][1]}" for word in flat.pop("choices"))
    return {
        "id": f"{task.texts}-{'blind' if task.blind else 'open'}",
        "fields": flat,
        "metadata": {**hidden, "blind": str(task.blind).lower(), "id": str(hidden["id"])},
        "suggestions": {},
        "responses": {},
    }


def _flat(task: Task) -> dict[str, Any]:
    """What is shown of a task as texts by name."""
    found: Any = shown(task)
    one, other = found["sides"]
    claims = [f"{title}: {text}" for title, text in found["claims"]]
    return {
        "texts": task.texts,
        "blind": task.blind,
        "id": found["id"],
        "title": found["question"],
        "prompt": found["prompt"],
        "reference": found["reference"] or "-",
        "name_1": one["name"],
        "text_1": _styles(found["styles"], one["texts"]),
        "name_2": other["name"],
        "text_2": _styles(found["styles"], other["texts"]),
        "about": "\n".join([found["why"], *claims, *found["votes"]]),
        "choices": list(task.answers),
    }


def _styles(names: Sequence[str], texts: Sequence[str]) -> str:
    return "\n\n".join(f"[{name}]\n{text}" for name, text in zip(names, texts, strict=True))


def read_answers(path: Path, reviewer: str | None) -> list[Given]:
    """The answers of a file that the page, Label Studio or Argilla wrote.

    `reviewer` names who gave them all; without one the file's own names count.

    Raises:
        DataError: with every line that is none of theirs. UsageError: the file cannot be read.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error_line(error)}") from error
    problems: list[str] = []
    found: list[Given] = []
    for part in _read(path.name, text, problems):
        if isinstance(part, str):
            problems.append(part)
        else:
            found.append(part)
    if reviewer is not None:
        found = [Given(one.place, one.texts, one.blind, one.answer, reviewer) for one in found]
    problems += [
        f"{one.place}: nobody is named; --reviewer NAME says who"
        for one in found
        if not one.reviewer.strip()
    ]
    if problems:
        raise DataError(problems)
    return found


def _read(name: str, text: str, problems: list[str]) -> Iterator[Given | str]:
    try:
        whole: Any = json.loads(text)
    except ValueError:
        whole = list(_lines(name, text, problems))
    if isinstance(whole, dict) and whole.get("rmjudge") == PAGE_MARK:
        yield from _of_page(name, whole)
        return
    records = whole if isinstance(whole, list) else [whole]
    for number, record in enumerate(records, 1):
        yield from _of_record(f"{name}, record {number}", record)


def _lines(name: str, text: str, problems: list[str]) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        try:
            if line.strip():
                yield json.loads(line)
        except ValueError as error:
            problems.append(f"{name}:{number}: is no JSON ({error})")


def _of_page(name: str, whole: Mapping[str, Any]) -> Iterator[Given | str]:
    decisions = whole.get("decisions")
    if not isinstance(decisions, list):
        yield f"{name}: decisions is {kind_of(decisions)}; expected a list"
        return
    for number, one in enumerate(decisions, 1):
        place = f"{name}, decision {number}"
        fields = one if isinstance(one, dict) else {}
        yield _given(place, fields, fields.get(ANSWER), whole.get("reviewer"))


def _given(place: str, about: Mapping[str, Any], answer: object, reviewer: object) -> Given | str:
    texts, blind = about.get("texts"), about.get("blind")
    blind = {"true": True, "false": False}.get(blind, blind) if isinstance(blind, str) else blind
    if not isinstance(texts, str) or not isinstance(blind, bool):
        return f"{place}: texts or blind is missing; it is not of a file that --export wrote"
    if not isinstance(answer, str):
        return f"{place}: the answer is {kind_of(answer)}; expected a word"
    return Given(place, texts, blind, answer, reviewer if isinstance(reviewer, str) else "")


def _of_record(place: str, record: object) -> Iterator[Given | str]:
    if isinstance(record, dict) and isinstance(record.get("data"), dict):
        yield from _of_label_studio(place, record)
    elif isinstance(record, dict) and isinstance(record.get("metadata"), dict):
        yield from _of_argilla(place, record)
    else:
        yield (
            f"{place}: {quote(json.dumps(record))} is no task of Label Studio (export as JSON, not "
            "JSON-MIN), no record of Argilla and no file of the review page"
        )


def _of_label_studio(place: str, record: Mapping[str, Any]) -> Iterator[Given | str]:
    annotations = record.get("annotations")
    if not isinstance(annotations, list):
        yield f"{place}: annotations is {kind_of(annotations)}; export as JSON from Label Studio"
        return
    for one in annotations:
        if not isinstance(one, dict) or one.get("was_cancelled"):
            continue
        for part in one.get("result") or ():
            value = part.get("value") if isinstance(part, dict) else None
            chosen = value.get("choices") if isinstance(value, dict) else None
            if isinstance(part, dict) and part.get("from_name") == ANSWER:
                answer = chosen[0] if isinstance(chosen, list) and len(chosen) == 1 else chosen
                yield _given(place, record["data"], answer, _annotator(one.get("completed_by")))


def _annotator(who: object) -> str:
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return "" if who is None else f"labelstudio-{who}" if isinstance(who, int) else str(who)


def _of_argilla(place: str, record: Mapping[str, Any]) -> Iterator[Given | str]:
    responses = record.get("responses")
    if not isinstance(responses, dict):
        yield f"{place}: responses is {kind_of(responses)}; expected what Argilla's to_json writes"
        return
    for one in responses.get(ANSWER) or ():
        fields = one if isinstance(one, dict) else {}
        who = fields.get("user_id")
        yield _given(
            place, record["metadata"], fields.get("value"), f"argilla-{who}" if who else ""
        )
