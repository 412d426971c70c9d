"""`rmjudge` that is killed the moment it has committed a batch in a state.

Run: `python dies_at_state.py STATE ARGUMENTS...`
"""

from __future__ import annotations

import os
import signal
import sys

from rmjudge.cache import AnswerCache
from rmjudge.cache.ledger import Chunk
from rmjudge.cli import main

KEEP = AnswerCache.keep_chunk


async def keep_and_die(self: AnswerCache, chunk: Chunk) -> None:
    """Commit as ever; no line of the program runs after the state's commit."""
    await KEEP(self, chunk)
    if chunk.state == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    AnswerCache.keep_chunk = keep_and_die  # type: ignore[method-assign]
    sys.exit(main(sys.argv[2:]))
