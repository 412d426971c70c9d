"""Where things stand in a raw item of a set: the table `fields` of a descriptor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rmjudge.benchmarks.values import WrongValue, refuse_unknown, text_at, texts_of

_FIELDS: Final = (
    *("id", "prompt", "messages", "chosen", "rejected", "subset"),
    *("responses", "label", "first", "second", "equal"),
    *("texts", "grades", "groups"),
)
MAPPED: Final = (
    "prompt",
    "messages",
    "chosen",
    "rejected",
    "id",
    "subset",
    "label",
    "texts",
    "grades",
)
"""What `--map` may find under another name."""


@dataclass(frozen=True, slots=True)
class Fields:
    """Where things stand in a raw item; `a.b` looks inside. None: it has no such field.

    Responses are either `chosen` and `rejected` (each a text, a list, or a conversation whose last
    message is the response), or the two fields in `responses`, of which `label` names the better
    one by a value in `first` or in `second`; one in `equal` has no better one and is left out; or
    the list at `texts`, of which `grades` holds a number for each: the higher, the better.
    `groups` are the names of a matrix's rows and columns: those of the responses in `chosen`, and
    in the same order of those in `rejected`.
    """

    id: str | None = None
    prompt: str | None = None
    messages: str | None = None
    chosen: str | None = None
    rejected: str | None = None
    subset: str | None = None
    responses: tuple[str, str] | None = None
    label: str | None = None
    first: tuple[Any, ...] = ()
    second: tuple[Any, ...] = ()
    equal: tuple[Any, ...] = ()
    texts: str | None = None
    grades: str | None = None
    groups: tuple[str, ...] = ()

    @property
    def of_responses(self) -> tuple[str, ...]:
        """The fields that responses, and what says which is better, are read from."""
        if self.responses:
            return ("responses", "label")
        return ("texts", "grades") if self.texts else ("chosen", "rejected")

    @property
    def needed(self) -> tuple[str, ...]:
        """The top-level fields without which a raw item is none of these."""
        one_way = None if self.prompt and self.messages else self.prompt or self.messages
        named = [one_way, self.chosen, self.rejected, self.label, self.texts, self.grades]
        named += self.responses or ()
        return tuple(name.partition(".")[0] for name in named if name)


def fields_of(table: Mapping[str, Any]) -> Fields:
    """Read the table `fields` of a descriptor.

    Raises:
        WrongValue: something in it is wrong.
    """
    refuse_unknown(table, _FIELDS, "fields.")
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name in ("first", "second", "equal"):
            values[name] = tuple(value) if isinstance(value, list) else (value,)
        elif name in ("responses", "groups"):
            values[name] = texts_of(value, f"fields.{name}")
            if len(set(values[name])) < 2 or (name == "responses" and len(values[name]) > 2):
                what = "two fields" if name == "responses" else "two groups or more"
                raise WrongValue(f"fields.{name} names {what}")
        else:
            values[name] = text_at(table, name, "fields.")
            if not values[name]:
                raise WrongValue(f"fields.{name} is empty")
    found = Fields(**values)
    if not table:  # a benchmark whose result files are read, and whose texts are not
        return found
    _check(found)
    return found


def _check(found: Fields) -> None:
    ways = (
        (found.chosen, found.rejected),
        (found.responses, found.label, found.first, found.second),
        (found.texts, found.grades),
    )
    begun = [way for way in ways if any(way)]
    if len(begun) != 1 or not all(begun[0]) or (found.equal and begun[0] is not ways[1]):
        raise WrongValue(
            "fields names either chosen and rejected, or responses, label, first and second, or "
            "texts and grades"
        )
    if both := [one for one in found.first if one in (*found.second, *found.equal)]:
        raise WrongValue(f"fields.first names {both[0]!r:.40}, and so does fields.second or equal")
    if both := [one for one in found.second if one in found.equal]:
        raise WrongValue(f"fields.second names {both[0]!r:.40}, and so does fields.equal")
    if found.groups and begun[0] is not ways[0]:
        raise WrongValue("fields.groups are those of the responses in chosen and in rejected")
