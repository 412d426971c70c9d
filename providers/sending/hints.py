"""Which option takes a refused parameter out of a request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rmjudge.calls import Json

Body = Mapping[str, Json]

_REFUSED: Final = re.compile(
    r"un(supported|recogni[sz]ed|known|expected)|not (a )?(support|allow|permit|recogni[sz]ed|valid"
    r"|available|accept)|n't support|n't allow|does not|cannot|deprecated|invalid|only the default"
    r"|extra (inputs|fields)|forbidden|instead|no longer",
    re.I,
)


def says_no(refusal: str) -> bool:
    """Whether these words refuse something."""
    return _REFUSED.search(refusal) is not None


_MATERIAL: Final = frozenset(("model", "messages", "input", "inputs", "contents", "query", "text"))


def hint_for(refusal: str, body: Body) -> str:
    """Which option takes a refused parameter out of the request; empty where none is refused."""
    optional = [name for name in body if name not in _MATERIAL]
    if "requested parameters" in refusal:  # OpenRouter: no host takes them all
        named = optional
    elif says_no(refusal):
        named = [name for name in optional if re.search(rf"\b{name}\b", refusal)]
    else:
        return ""
    if not named:
        return ""
    return f"{' '.join(f'--param {name}=null' for name in named)} leaves it out"
