"""How many calls at once each endpoint was found to take: kept beside the answers.

It makes a run start faster and changes no result, so whatever is wrong with the file is no error.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rmjudge.scorer import KnownPace

FILE: Final = "paces.json"
_MOST: Final = 100_000


def read_paces(folder: Path) -> dict[str, KnownPace]:
    """What is kept, by endpoint; what cannot be read is left out."""
    try:
        kept = json.loads((folder / FILE).read_text("utf-8"))
        entries = dict(kept).items()
    except (OSError, ValueError, TypeError, RecursionError):
        return {}
    return {name: pace for name, entry in entries if (pace := _pace(entry)) is not None}


def _pace(entry: object) -> KnownPace | None:
    if not isinstance(entry, dict):
        return None
    limit, limited = entry.get("limit"), entry.get("limited")
    if type(limit) is int and 1 <= limit <= _MOST and isinstance(limited, bool):
        return KnownPace(limit, limited)
    return None


def keep_paces(folder: Path, found: Mapping[str, KnownPace]) -> None:
    """Lay what was found over what is kept."""
    if not found:
        return
    kept = {**read_paces(folder), **found}
    entries = {name: {"limit": each.limit, "limited": each.limited} for name, each in kept.items()}
    with contextlib.suppress(OSError):
        # Under a name of its own (0600), for other processes may do the same.
        number, draft = tempfile.mkstemp(prefix=f"{FILE}.", dir=folder)
        try:
            with os.fdopen(number, "w", encoding="utf-8") as file:
                json.dump(entries, file, indent=1, sort_keys=True)
            Path(draft).replace(folder / FILE)
        except OSError:
            Path(draft).unlink(missing_ok=True)
