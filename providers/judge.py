"""A generative model as judge: a method of judging, spoken in a vendor's dialect.

The method (`rmjudge.judging.methods`) knows what is asked and how the answer reads; the dialect,
a subclass, knows how a prompt is sent and where in the reply the text stands. Neither knows
the other, so every method works with every vendor that can give what it needs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from rmjudge.calls import CHARACTERS_PER_TOKEN, Answer, Call, Json, Usage
from rmjudge.errors import UsageError
from rmjudge.judging.methods import METHODS, JudgingMethod
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.judging.replies import ChatReply
from rmjudge.providers.base import PROBES, Provider, Request, Target

REASONING_TOKENS = 400
"""What a judge writes before its verdict, roughly; for estimates only."""
MOST_REMARKS = 5


class JudgeProvider(Provider):
    """A dialect. Subclasses write `chat_request` and `chat_reply`, both pure."""

    dialect_version: ClassVar[str]
    """Of `chat_reply`; a new version re-reads stored replies."""
    has_logprobs: ClassVar[bool] = False
    has_roles: ClassVar[bool] = False
    """Whether a chat may have roles of any name."""

    def __init__(
        self, target: Target, judging: JudgingMethod | None = None, *, sampled: bool = False
    ) -> None:
        """Speak `judging` (pairwise when not given); `sampled` asks for distinct answers."""
        super().__init__(target)
        judging = judging or METHODS["pairwise"]
        if judging.needs_logprobs and not self.has_logprobs:
            raise UsageError(
                f"{self.name}/{target.model}: {judging.name} needs token probabilities, which "
                "this provider does not tell"
            )
        if judging.own_roles and not self.has_roles:
            raise UsageError(
                f"{self.name}/{target.model}: this provider's chats have no roles of a template's "
                "own; use one of the chat-completions providers, such as vllm-chat"
            )
        self.judging = judging
        self.remarks = [judging.remark] if judging.remark else []
        self.temperature = 1 if sampled else 0
        self.method = judging.scores
        self.parser = f"{self.dialect_version}+{judging.parser}"
        self.output_tokens_estimate = REASONING_TOKENS if judging.reasons else 1

    @property
    def template(self) -> str:
        """The frame around every call."""
        return self.judging.template

    @property
    def described(self) -> Mapping[str, Json]:
        """The way of judging, which changes answers beyond what the request shows."""
        return {"judging": self.judging.name, **self.judging.settings}

    @property
    def lead_characters(self) -> int | None:
        """Prompts that are, with the frame, as long as what the vendor caches at least."""
        if self.prompt_cache_tokens is None or not self.judging.shares_prefix:
            return None
        shortest = int(self.prompt_cache_tokens * CHARACTERS_PER_TOKEN)
        return max(0, shortest - len(self.template))

    def leads(self, prompt: JudgePrompt) -> bool:
        """Whether the part that a tuple's comparisons share is long enough to be cached."""
        least = self.lead_characters
        return least is not None and bool(prompt.prompt) and len(prompt.prompt) >= least

    @abstractmethod
    def chat_request(self, prompt: JudgePrompt) -> Request:
        """Make the request for one prompt."""

    @abstractmethod
    def chat_reply(self, body: Json) -> tuple[ChatReply, Usage, str | None]:
        """Find text, usage and model in a reply.

        Raises:
            MalformedBodyError: this is no reply of this dialect.
        """

    def build(self, calls: Sequence[Call]) -> Request:
        """One call a request."""
        (call,) = calls
        if type(call) is not type(PROBES[self.method]):
            raise TypeError(f"{self.judging.name} is no way to ask about a {type(call).__name__}")
        return self.chat_request(self.judging.prompt(call))

    def read(self, part: Json, call: Call) -> tuple[Answer, Usage, str | None]:
        """Read the reply with the method."""
        reply, usage, model = self.chat_reply(part)
        if reply.odd_reason:
            self._note(
                "the server ended answers for a reason that is not known here: "
                f"{reply.odd_reason!r}; they were read as whole ones"
            )
        return self.judging.read(reply), usage, model

    def _note(self, remark: str) -> None:
        if remark not in self.remarks and len(self.remarks) < MOST_REMARKS:
            self.remarks.append(remark)
