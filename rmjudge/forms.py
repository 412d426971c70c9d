"""Forms that a value takes for others: HTML in a notebook, a dictionary for other tools.

A value does not know how it is drawn or encoded. Whoever does registers it here, by its type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from rmjudge.calls import Json

T = TypeVar("T")
_HTML: Final[dict[type, Callable[[Any], str]]] = {}
_DICT: Final[dict[type, Callable[[Any], dict[str, Json]]]] = {}


class Shown:
    """What a notebook shows as HTML, once `rmjudge.render.notebook` is imported."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        draw = _HTML.get(type(self))
        return None if draw is None else draw(self)


class Encoded:
    """What has a dictionary: the same as its file holds."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Json]:
        """The value as JSON has it: fractions, None where there is no data."""
        return _DICT[type(self)](self)


def shows(kind: type[T], draw: Callable[[T], str]) -> None:
    """Let notebooks show a type by this HTML."""
    _HTML[kind] = draw


def encodes(kind: type[T], encode: Callable[[T], dict[str, Json]]) -> None:
    """Let a type's `to_dict` be this."""
    _DICT[kind] = encode
