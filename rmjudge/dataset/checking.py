"""From a raw item to a tuple, or to everything that is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from rmjudge.dataset.foreign import foreign_layout, foreign_line
from rmjudge.dataset.parsing import LIST_HINT, Problem, RawItem
from rmjudge.dataset.tuples import BenchTuple, Triple
from rmjudge.text import kind_of, quote
from rmjudge.vocabulary import PUBLISHED_DOMAINS, STYLES, Domain, bare_id, counted_as, may_be_domain

_MISSING: Final = object()
_USED: Final = frozenset(("id", "domain", "subset", "prompt", "chosen", "rejected"))
_KNOWN: Final = ", ".join(PUBLISHED_DOMAINS)
_OWN: Final = (
    "it has at most 32 letters, digits, _, . or -, the first a letter or digit, and is none of "
    "all, any, average, none, overall"
)
_THREE: Final = f"expected a list of 3 strings ({', '.join(STYLES)})"


@dataclass(frozen=True, slots=True)
class Checked:
    """The sound tuples of a stream, and one line for each thing wrong with the others.

    `ignored` names the fields that are not used, each with how many sound tuples have it. The ids
    of `with_domain` are written with their domain, as in the published total file.
    """

    tuples: tuple[BenchTuple, ...]
    problems: tuple[str, ...]
    ignored: tuple[tuple[str, int], ...] = ()
    with_domain: tuple[str, ...] = ()


def check_items(items: Iterable[RawItem | Problem]) -> Checked:
    """Check a stream of items; an id may occur once in its domain, across all files."""
    tuples: list[BenchTuple] = []
    problems: list[str] = []
    places: dict[str, str] = {}
    ignored: Counter[str] = Counter()
    foreign: Counter[tuple[str, str]] = Counter()
    with_domain: list[str] = []
    items = list(items)
    # In a file that holds tuples, an item of another layout is a tuple with something wrong.
    ours = {
        item.shown for item in items if isinstance(item, RawItem) and not foreign_layout(item.value)
    }
    for item in items:
        if isinstance(item, Problem):
            problems.append(item.text)
            continue
        if item.shown not in ours and (layout := foreign_layout(item.value)):
            foreign[item.shown, layout] += 1
            continue
        found: list[str] = []
        checked = _check(item, places, found)
        if checked is not None and not found:
            tuples.append(checked)
            ignored.update(_ignored(item.value))
            if _names_its_domain(item.value, checked):
                with_domain.append(checked.name)
        problems.extend(found)
    told = [foreign_line(file, layout, count) for (file, layout), count in foreign.items()]
    unused = tuple(sorted(ignored.items()))
    return Checked(tuple(tuples), (*told, *problems), unused, tuple(with_domain))


def _ignored(fields: object) -> Iterator[str]:
    """Names of an item's fields that hold something and are not used."""
    if isinstance(fields, dict):
        for name, value in fields.items():
            if name not in _USED and value not in (None, "", [], {}):
                yield name


def _check(item: RawItem, places: dict[str, str], problems: list[str]) -> BenchTuple | None:
    """Check one item; `places` maps the names of tuples seen so far to where they are."""
    fields = item.value
    if not isinstance(fields, dict):
        hint = LIST_HINT if isinstance(fields, list) and any(map(_is_object, fields)) else ""
        problems.append(f"{item.place}: expected an object, found {kind_of(fields)}{hint}")
        return None
    found: list[str] = []
    identity = _id(fields, item.number, found)
    named = _domain(fields, item.stem, found)
    if isinstance(identity, str) and named is not None:
        identity = bare_id(identity, named)
    subset = _subset(fields, found)
    prompt = _prompt(fields, found)
    chosen = _triple(fields, "chosen", found)
    rejected = _triple(fields, "rejected", found)
    domain = None if named is None else counted_as(named)
    if identity is not None and domain is not None:
        found.extend(_seen_before(item, domain, identity, places))
    head = item.place if identity is None else f"{item.place} tuple {_show_id(identity)}"
    problems.extend(f"{head}: {line}" for line in found)
    if identity is None or domain is None or prompt is None or chosen is None or rejected is None:
        return None
    if subset is None and named is not None and named != domain:
        subset = named  # `safety-refuse` or `safety-response`: both count as safety
    return BenchTuple(identity, domain, subset, prompt, chosen, rejected)


def _names_its_domain(fields: object, checked: BenchTuple) -> bool:
    return isinstance(fields, dict) and fields.get("id", checked.id) != checked.id


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _seen_before(
    item: RawItem, domain: Domain, identity: int | str, places: dict[str, str]
) -> list[str]:
    # The name is the identity: 8 and "8" of one domain would look the same in a report.
    name = f"{domain}/{identity}"
    first = places.get(name)
    if first is None:
        places[name] = item.place
        return []
    return [f"the id is already taken in domain {domain} by {first}; every tuple needs its own"]


def _show_id(identity: int | str) -> str:
    return quote(identity) if isinstance(identity, str) else _show_int(identity)


def _show_int(number: int) -> str:
    text = str(number)
    return text if len(text) <= 20 else f"{text[:17]}..."


def _id(fields: dict[str, object], number: int, problems: list[str]) -> int | str | None:
    """Find the id; where none is given it is the line, or the place in the list, from 1."""
    value = fields.get("id", number)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        problems.append(f"id is {kind_of(value)}; expected an integer or a non-empty string")
        return None
    if isinstance(value, str) and not value.strip():
        problems.append("id is empty; expected an integer or a non-empty string")
        return None
    if isinstance(value, str) and not value.isprintable():
        # Ids become lines of reports and results files, and must survive both.
        problems.append(f"id {quote(value)} has characters that cannot be printed")
        return None
    return value


def _domain(fields: dict[str, object], stem: str, problems: list[str]) -> str | None:
    """Find the published name of the domain: the item's own, else its file's."""
    value = fields.get("domain")
    if value is None:
        if stem in PUBLISHED_DOMAINS:
            return stem
        problems.append(
            "domain is missing, and the file's name does not tell it; "
            f'add "domain", one of {_KNOWN} or a name of your own, or name the file like '
            "chat_filtered.json"
        )
        return None
    if not isinstance(value, str):
        problems.append(f"{_is('domain', value)}; expected one of {_KNOWN}, or a name of your own")
    elif may_be_domain(value):
        return value
    elif value.lower() in PUBLISHED_DOMAINS:
        problems.append(f"domain {quote(value)} is unknown; write {value.lower()}")
    else:
        problems.append(f"domain {quote(value)} cannot be one; {_OWN}")
    return None


def _subset(fields: dict[str, object], problems: list[str]) -> str | None:
    value = fields.get("subset")
    if value is None or isinstance(value, str):
        return value or None
    problems.append(f"{_is('subset', value)}; expected a string, or no subset")
    return None


def _prompt(fields: dict[str, object], problems: list[str]) -> str | None:
    value = fields.get("prompt", _MISSING)
    if isinstance(value, str) and value.strip():
        return value
    blank = isinstance(value, str) and value != ""
    what = "prompt is only white space" if blank else _is("prompt", value)
    problems.append(f"{what}; expected a non-empty string")
    return None


def _triple(fields: dict[str, object], side: str, problems: list[str]) -> Triple | None:
    value = fields.get(side, _MISSING)
    if not isinstance(value, list):
        problems.append(f"{_is(side, value)}; {_THREE}")
        return None
    if len(value) != len(STYLES):
        count = len(value)
        problems.append(f"{side} has {count} response{'s' if count != 1 else ''}; {_THREE}")
        return None
    texts: list[str] = []
    for index, (style, text) in enumerate(zip(STYLES, value, strict=True)):
        if isinstance(text, str) and text:
            texts.append(text)
        else:
            what = _is(f"{side}[{index}] ({style})", text)
            problems.append(f"{what}; expected a non-empty string")
    if len(texts) != len(STYLES):
        return None
    return texts[0], texts[1], texts[2]


def _is(name: str, value: object) -> str:
    """Say what a field is instead of what it should be."""
    if value is _MISSING:
        return f"{name} is missing"
    if value == "":
        return f"{name} is empty"
    return f"{name} is {kind_of(value)}"
