"""The side that answers: a line of JSON for each line, and one when it is ready."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any


def serve(answer: Callable[[Any], Any]) -> None:
    """Say that all is ready, then answer until standard input ends."""
    reply(None)
    for line in sys.stdin:
        reply(answer(json.loads(line)))


def reply(found: Any) -> None:
    """Write one answer."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
