"""A run over Ray whose blocks take a while, and that tells in a file which blocks were begun.

Run by Ray's own Python: MODEL DATA OUT CACHE BEGUN. Everything else is the real thing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from rmjudge import evaluate
from rmjudge.calls import Call, Outcome
from rmjudge.errors import StopRun
from rmjudge.providers.local.classifier import Classifier
from rmjudge.providers.local.cluster import ClusterScorer
from rmjudge.providers.local.settings import LocalSettings


class Slow(Classifier):
    """A classifier that writes down what it is asked, and waits."""

    def __init__(self, begun: Path, settings: LocalSettings) -> None:
        super().__init__(settings)
        self.batch = 12
        self._begun = begun

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        line = json.dumps({"process": os.getpid(), "prompts": sorted({c.prompt for c in calls})})
        with self._begun.open("a") as out:
            out.write(f"{line}\n")
        await asyncio.sleep(0.4)
        return await super().answer(calls)


def main(model: str, data: str, out: str, cache: str, begun: str) -> None:
    """Score the data; exit as the command line does."""
    settings = LocalSettings(model, device="cpu", engine="ray")
    scorer = ClusterScorer(partial(Slow, Path(begun).absolute()), settings)
    try:
        evaluate([scorer], data, out=out, cache_dir=cache)
    except StopRun as reason:
        sys.exit(reason.exit_code)


main(*sys.argv[1:])
