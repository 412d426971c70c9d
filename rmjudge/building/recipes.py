"""The recipes by name, and the version of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from rmjudge.building.answer import answer
from rmjudge.building.cases import Case
from rmjudge.building.code import code
from rmjudge.building.edit import edit
from rmjudge.building.over_refusal import over_refusal
from rmjudge.building.restyle import restyle
from rmjudge.building.writing import Asking, Tools

VERSION: Final = 1
"""Of the recipes and their checks."""
RECIPES: Final[Mapping[str, Callable[[Tools, Case], Asking]]] = {
    "restyle": restyle,
    "edit": edit,
    "code": code,
    "answer": answer,
    "over-refusal": over_refusal,
}
