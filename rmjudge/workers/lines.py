"""The side that answers: a line of JSON for each line, and one when it is ready."""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Callable
from typing import Any, Final

GRACE: Final = 2
"""Seconds that the one who asks has to end a process itself."""


def serve(answer: Callable[[Any], Any]) -> None:
    """Say that all is ready, then answer until standard input ends.

    A question has a number of seconds, after which nobody waits for the answer. The process that
    asks ends this one then; should that be killed, the system's alarm does.
    """
    reply(None)
    for line in sys.stdin:
        seconds, question = json.loads(line)
        _alarm(math.ceil(seconds) + GRACE)
        reply(answer(question))
        _alarm(0)


def _alarm(seconds: int) -> None:
    if sys.platform != "win32":
        signal.alarm(seconds)  # no handler: the system ends the process, whatever it is in


def reply(found: Any) -> None:
    """Write one answer."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
