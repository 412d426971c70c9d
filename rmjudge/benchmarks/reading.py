"""From a raw item to an item, or to what is wrong with it, by a descriptor's fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rmjudge.benchmarks.descriptors import Descriptor
from rmjudge.benchmarks.fields import MAPPED
from rmjudge.benchmarks.items import Item, Pair, Response, Turn
from rmjudge.benchmarks.values import LARGEST
from rmjudge.text import did_you_mean, kind_of, printable, quote

ROLES: Final = ("system", "user", "assistant")
_ROLE_OF: Final = {"human": "user", "gpt": "assistant", "developer": "system"}
QUOTED: Final = 40
LISTED: Final = 12
"""Characters of a field's name, and fields, that a message names."""
IMAGES: Final = ("image", "images", "image_url")
_HH: Final = re.compile(r"\n\n(Human|Assistant): ?")
"""How Anthropic's HH files part the messages of a text."""


class Wrong(Exception):
    """What is wrong with a raw item, for people."""


def read_item(
    raw: object, descriptor: Descriptor, number: int, folder: str, stem: str
) -> Item | None:
    """Make an item of a parsed JSON value; None where it says that no response is better.

    `number` is its id where it has none; `folder` and `stem` are its file's, for its subset.

    Raises:
        Wrong: it is no item of this benchmark.
    """
    if not isinstance(raw, dict):
        raise Wrong(f"expected an object, found {kind_of(raw)}")
    for name in IMAGES:
        if raw.get(name):
            raise Wrong(f"it has {name}; items with images are not supported")
    fields = descriptor.fields
    if fields.responses is not None:
        before: tuple[Turn, ...] = ()
        responses = _labelled(raw, descriptor)
        if responses is None:
            return None
    elif fields.texts is not None:
        before, responses = (), _graded(raw, descriptor)
    else:
        before, responses = _sides(raw, descriptor)
    if len({response.grade for response in responses}) < 2:
        return None
    turns = before or _turns(raw, descriptor)
    subset = folder if descriptor.subset_of_folder else _name(raw, fields.subset) or stem
    identity = _find(raw, fields.id) if fields.id else None
    return Item(
        number if identity is None else _id(identity),
        descriptor.subset_of(subset),
        turns,
        tuple(responses),
        _cells(fields.groups),
        subset,
    )


def says(raw: object, path: str) -> bool:
    """Whether a raw item has something there."""
    return _find(raw, path) not in (None, "")


def lacks(raw: object, descriptor: Descriptor, role: str, path: str) -> str:
    """What a raw item lacks there, who asked for it, and what may be meant; for people."""
    what, meant = _lacking(raw, path) or (f"{path} is empty", "")
    by = descriptor.said_by(role)
    told = f"{what} ({by} = {path})" if by else what
    if not by and meant and role in MAPPED:
        meant = "; ".join(filter(None, (meant, f"--map {role}=FIELD says where it is")))
    return "; ".join(filter(None, (told, meant)))


def _lacking(value: object, path: str, where: str = "") -> tuple[str, str] | None:
    """The first place on the way where there is nothing, and the fields that are there."""
    if isinstance(value, list):
        each = (_lacking(one, path, f"{where}[{k}]") for k, one in enumerate(value))
        return next(filter(None, each), None)
    if not isinstance(value, dict):
        return f"{where or 'it'} is {kind_of(value)} and has no {path}", ""
    step, _, rest = (path, "", "") if path in value else path.partition(".")
    at = f"{where}.{step}" if where else step
    if step not in value:
        return f"{at} is missing", _meant(step, value)
    if rest:
        return _lacking(value[step], rest, at)
    return (f"{at} is null", "") if value[step] is None else None


def _meant(name: str, fields: Mapping[str, Any]) -> str:
    shown = [printable(field)[:QUOTED] for field in fields]
    more = [f"{len(shown) - LISTED} more"] if len(shown) > LISTED else []
    listed = f"there are {', '.join([*shown[:LISTED], *more]) or 'no fields'}"
    return did_you_mean(name, shown, otherwise="") or listed


def _need(raw: Mapping[str, Any], descriptor: Descriptor, role: str, path: str) -> Any:
    """What stands at a path that is needed.

    Raises:
        Wrong: there is nothing; of a list, in one of its elements.
    """
    if _lacking(raw, path):
        raise Wrong(lacks(raw, descriptor, role, path))
    return _find(raw, path)


def _cells(groups: Sequence[str]) -> tuple[Pair, ...]:
    """A matrix's pairs: the better responses are first, then the worse, both in their groups."""
    return tuple(
        Pair(i, len(groups) + j, f"{one}/{other}")
        for i, one in enumerate(groups)
        for j, other in enumerate(groups)
    )


def _id(value: object) -> int | str:
    if isinstance(value, bool) or not isinstance(value, (int, str)) or value == "":
        told = value if isinstance(value, float) else kind_of(value)
        raise Wrong(f"its id is {told}; expected an integer or a text")
    if isinstance(value, str) and not value.isprintable():
        raise Wrong("its id has characters that cannot be printed")
    return value


def _name(raw: Mapping[str, Any], path: str | None) -> str:
    value = _find(raw, path) if path else None
    if value is None:
        return ""
    if not isinstance(value, str) or not value.isprintable():
        raise Wrong(f"{path} is {kind_of(value)}; expected a short text")
    return value


def _find(raw: object, path: str) -> Any:
    """What stands at `a.b`; of a list, what stands there in each. None where there is nothing."""
    if isinstance(raw, list):
        return [_find(one, path) for one in raw]
    if not isinstance(raw, dict):
        return None
    if path in raw:  # a name may have dots, as flattened tables have
        return raw[path]
    step, dot, rest = path.partition(".")
    return _find(raw.get(step), rest) if dot else None


def _turns(raw: Mapping[str, Any], descriptor: Descriptor) -> tuple[Turn, ...]:
    fields = descriptor.fields
    for path in (fields.prompt, fields.messages):
        value = _find(raw, path) if path else None
        if isinstance(value, str):
            if value and not value.strip():
                raise Wrong(f"{path} is only white space; expected a text")
            return (Turn("user", _text(value, str(path))),)
        if value is not None:
            return _messages(value, str(path))
    named = [
        (role, path)
        for role, path in (("prompt", fields.prompt), ("messages", fields.messages))
        if path
    ]
    if not named:
        raise Wrong("its prompt is missing; fields.prompt says where it is")
    raise Wrong(lacks(raw, descriptor, *named[0]))


def _messages(value: object, where: str) -> tuple[Turn, ...]:
    if not isinstance(value, list) or not value:
        told = "empty" if value == [] else kind_of(value)
        raise Wrong(f"{where} is {told}; expected a text or a list of messages")
    return tuple(_message(one, where) for one in value)


def _message(value: object, where: str) -> Turn:
    if not isinstance(value, dict):
        raise Wrong(f"{where} holds {kind_of(value)}; expected messages with role and content")
    given = value.get("role", value.get("from"))
    role = _ROLE_OF.get(str(given), given)
    if role not in ROLES:
        raise Wrong(f"{where}: the role {quote(str(given), 20)} is not one of {', '.join(ROLES)}")
    return Turn(str(role), _text(value.get("content", value.get("value")), where))


def _text(value: object, where: str) -> str:
    """A text, or the text of a message's parts.

    Raises:
        Wrong: it is none, or it has an image.
    """
    if isinstance(value, list) and value and all(isinstance(part, dict) for part in value):
        for part in value:
            if "image" in str(part.get("type", "")):
                raise Wrong(f"{where} has an image; items with images are not supported")
        value = "".join(str(part.get("text", "")) for part in value)
    if value is None:
        raise Wrong(f"{where} is missing")
    if not isinstance(value, str):
        raise Wrong(f"{where} is {kind_of(value)}; expected a text")
    if not value:
        raise Wrong(f"{where} is empty")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Wrong(f"{where} is no text in UTF-8") from None
    return value


def _labelled(raw: Mapping[str, Any], descriptor: Descriptor) -> list[Response] | None:
    """Two responses, of which a label names the better one; None where it names none."""
    fields = descriptor.fields
    label = _need(raw, descriptor, "label", str(fields.label))
    if _among(label, fields.equal):
        return None
    first = _among(label, fields.first)
    if not first and not _among(label, fields.second):
        known = ", ".join(repr(one) for one in (*fields.first, *fields.second, *fields.equal))
        told = quote(label, 20) if isinstance(label, str) else printable(str(label))[:20]
        raise Wrong(f"{fields.label} is {told}; expected one of {known}")
    texts = [
        _text(_need(raw, descriptor, "responses", name), name) for name in fields.responses or ()
    ]
    return [Response(texts[0], float(first)), Response(texts[1], float(not first))]


def _among(label: object, values: Sequence[object]) -> bool:
    """Whether it is one of these; Python's True is its 1, and here it is not."""
    return any(one == label and isinstance(one, bool) == isinstance(label, bool) for one in values)


def _graded(raw: Mapping[str, Any], descriptor: Descriptor) -> list[Response]:
    """Responses and a number for each."""
    where, grades_at = str(descriptor.fields.texts), str(descriptor.fields.grades)
    texts = _need(raw, descriptor, "texts", where)
    grades = _need(raw, descriptor, "grades", grades_at)
    for path, value in ((where, texts), (grades_at, grades)):
        if not isinstance(value, list) or not value:
            told = "empty" if value == [] else kind_of(value)
            raise Wrong(f"{path} is {told}; expected a list, one for each response")
    if len(texts) != len(grades):
        raise Wrong(f"{where} has {len(texts)} responses, and {grades_at} {len(grades)} grades")
    found = []
    for place, (text, grade) in enumerate(zip(texts, grades, strict=True)):
        number = _grade(grade, f"{grades_at}[{place}]")
        found.append(Response(_text(text, f"{where}[{place}]"), number))
    return found


def _grade(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Wrong(f"{where} is {kind_of(value)}; expected a number")
    if not abs(value) < LARGEST:
        raise Wrong(f"{where} is infinite, too large or NaN; expected a number")
    return float(value)


def _sides(
    raw: Mapping[str, Any], descriptor: Descriptor
) -> tuple[tuple[Turn, ...], list[Response]]:
    """The right and the wrong responses, and the turns before them where they hold these."""
    fields = descriptor.fields
    has_prompt = any(
        path and _find(raw, path) is not None for path in (fields.prompt, fields.messages)
    )
    before: list[tuple[Turn, ...]] = []
    found: list[Response] = []
    sides = (("chosen", fields.chosen, 1.0), ("rejected", fields.rejected, 0.0))
    for role, path, grade in sides:
        value = _need(raw, descriptor, role, str(path))
        for text, turns in _responses(value, str(path), has_prompt):
            found.append(Response(text, grade))
            if turns:
                before.append(turns)
    if before and len(set(before)) > 1:
        raise Wrong(
            f"{fields.chosen} and {fields.rejected} are conversations that differ before the last "
            "message; a pair answers one prompt"
        )
    if before:
        _check_prompt(raw, descriptor, before[0])
    if groups := fields.groups:
        counts = [sum(response.grade == grade for response in found) for grade in (1.0, 0.0)]
        if counts != [len(groups)] * 2:
            raise Wrong(
                f"{fields.chosen} has {counts[0]} responses and {fields.rejected} {counts[1]}; "
                f"the matrix has {len(groups)} groups ({', '.join(groups)}), one response each"
            )
    elif descriptor.kind == "pairs" and len(found) != 2:
        raise Wrong(
            f"it has {len(found)} responses; expected one better and one worse "
            '(a descriptor with kind = "best" takes several)'
        )
    return before[0] if before else (), found


def _check_prompt(raw: Mapping[str, Any], descriptor: Descriptor, turns: Sequence[Turn]) -> None:
    """The prompt beside conversations, which hold their own, must be theirs."""
    path = descriptor.fields.prompt
    prompt = _find(raw, path) if path else None
    if isinstance(prompt, str) and not any(
        prompt.strip() in turn.content or turn.content.strip() in prompt for turn in turns
    ):
        raise Wrong(
            f"{path} is another text than the conversations in {descriptor.fields.chosen} and "
            f"{descriptor.fields.rejected} hold before the response; keep one of the two"
        )


def _responses(
    value: object, where: str, has_prompt: bool
) -> Sequence[tuple[str, tuple[Turn, ...]]]:
    """Texts, each with the turns before it where it is a conversation."""
    if isinstance(value, dict):
        value = value.get("content", value.get("text", value.get("answer")))
    if isinstance(value, str) and not has_prompt and _HH.match(value):
        _, *parts = _HH.split(value)
        roles = {"Human": "user", "Assistant": "assistant"}
        turns = [
            Turn(roles[head], text) for head, text in zip(parts[::2], parts[1::2], strict=True)
        ]
        return [_last(turns, where)]
    if not isinstance(value, list):
        return [(_text(value, where), ())]
    if not value:
        raise Wrong(f"{where} is empty")
    if all(isinstance(one, dict) and ("role" in one or "from" in one) for one in value):
        return [_last(_messages(value, where), where)]
    return [(_text(one, f"{where}[{place}]"), ()) for place, one in enumerate(value)]


def _last(turns: Sequence[Turn], where: str) -> tuple[str, tuple[Turn, ...]]:
    if turns[-1].role != "assistant" or not turns[-1].content:
        raise Wrong(f"{where} is a conversation whose last message is no assistant's")
    return turns[-1].content, tuple(turns[:-1])
