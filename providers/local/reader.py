"""A local model's kept replies, read again without the model: no weights, no torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from rmjudge.calls import Answer, Call, Failure, Json, Outcome, Usage
from rmjudge.judging.methods import JudgingMethod
from rmjudge.providers.local.judge_replies import chat_reply, parser_of
from rmjudge.providers.local.rewards import Reads, read_reply
from rmjudge.providers.local.rewards import parser_of as parser_of_rewards
from rmjudge.scorer import Activity
from rmjudge.vocabulary import READS, Method


class KeptReplies:
    """Implements `rmjudge.scorer.Scorer` for a stored identity; it reads, and cannot be asked."""

    concurrency = 1
    batch = 1
    whole_tuples = False
    votes = 1
    lead_characters: int | None = None
    output_tokens_estimate = 0

    def __init__(
        self,
        identity: Mapping[str, Json],
        *,
        method: Method,
        parser: str,
        read: Callable[[str], Answer],
    ) -> None:
        self.name = f"{identity.get('provider')}/{identity.get('model')}"
        self.identity = identity
        self.method: Method = method
        self.parser = parser
        self.activity = Activity()
        self._read = read

    async def answer(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        """There is no model behind this."""
        return [Failure("unsupported", f"{self.name} is not loaded")] * len(calls)

    def most_tokens(self, call: Call) -> Usage | None:
        """Nothing is charged for."""
        return Usage(0, 0)

    def parse(self, call: Call, raw: str) -> Answer:
        """Read a stored reply again."""
        return self._read(raw)

    def drain(self) -> None:
        """Nothing is under way."""

    async def aclose(self) -> None:
        """Nothing is open."""


def reader_of_rewards(identity: Mapping[str, Json]) -> KeptReplies:
    """Replies of `hf/` and `dpo/`."""
    reads = cast(Reads, identity.get(READS))
    return KeptReplies(
        identity,
        method="pointwise",
        parser=parser_of_rewards(reads),
        read=lambda raw: read_reply(raw, reads),
    )


def reader_of_judge(identity: Mapping[str, Json], judging: JudgingMethod) -> KeptReplies:
    """Replies of `hf-judge/`."""
    return KeptReplies(
        identity,
        method=judging.scores,
        parser=parser_of(judging),
        read=lambda raw: judging.read(chat_reply(json.loads(raw))[0]),
    )
