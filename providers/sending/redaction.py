"""API keys: they live masked, and are struck out of everything that leaves the sender."""

from __future__ import annotations

import base64
import json
import re
from typing import Final
from urllib.parse import quote

MASK: Final = "[key removed]"
_SHORTEST: Final = 6
"""A shorter key would be struck out of ordinary words."""
_SHORTEST_WORD: Final = 2
"""A header's value of one character is in every text."""


class Secret:
    """A key whose `repr` shows nothing; `reveal` is called by the sender alone.

    `common` is one that others may use without having it from us, such as a plain word: it is
    struck out where it is short, too, as a word of its own.
    """

    __slots__ = ("_forms", "_value", "_word", "common")

    def __init__(self, value: str, *, common: bool = False) -> None:
        self._value = value
        self.common = common
        self._forms = _forms(value)
        self._word = _word(value) if common else None

    def reveal(self) -> str:
        """The key itself, for the request's header."""
        return self._value

    def strike(self, text: str) -> str:
        """Remove the key from a text, in every form it may have been echoed in."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, MASK)
        return self._word.sub(MASK, text) if self._word and self._value in text else text

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a key is not written to disk")


def _word(value: str) -> re.Pattern[str] | None:
    """A short value where it is no part of a longer word, in JSON (line ends are letters) too."""
    if not _SHORTEST_WORD <= len(value) < _SHORTEST:
        return None
    return re.compile(rf"(?:(?<!\w)|(?<=\\[bfnrt])){re.escape(value)}(?!\w)")


def _forms(value: str) -> tuple[str, ...]:
    if len(value) < _SHORTEST:
        return ()
    raw = value.encode("utf-8", "surrogatepass")
    in_json = json.dumps(value)[1:-1]
    forms = {
        value,
        quote(value),
        quote(value, safe=""),
        in_json,
        in_json.replace("/", "\\/"),  # PHP writes it so
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
        base64.b64encode(b":" + raw).decode().rstrip("="),
        raw.hex(),
        raw.hex().upper(),
        re.sub("%..", lambda code: code[0].lower(), quote(value, safe="")),
        *_inside_base64(raw),
    }
    return tuple(sorted(forms, key=len, reverse=True))


def _inside_base64(raw: bytes) -> list[str]:
    """What the key looks like in the Base64 of a longer text, such as `Bearer KEY` or `user:KEY`.

    Three bytes are four characters, so there are three ways to lie; characters that hold bits of
    what stands before or after are left out.
    """
    found: list[str] = []
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(bytes(before) + raw).decode().rstrip("=")
            whole = (before + len(raw)) * 8 // 6
            found.append(text[-(-before * 8 // 6) : whole])
    return found
