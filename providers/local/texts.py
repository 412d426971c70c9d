"""From a conversation to token ids: the template once, one beginning-of-text token, cuts counted.

Whether the template or the tokenizer writes the special tokens at the ends is seen from the
tokens themselves: where a render already begins as the tokenizer would begin it, nothing is added.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from rmjudge.calls import Failure
from rmjudge.judging.templates import RENDERING_FAULTS
from rmjudge.providers.local.templates import Template
from rmjudge.providers.rendering import Messages

TokenIds: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as the model is given it.

    `truncated` says that tokens are missing at an end. `start` is where the response begins in
    `ids`, where that was asked for, or the second segment of a pair, else 0; it is beyond the end
    where nothing of it is left.
    """

    ids: TokenIds
    truncated: bool = False
    start: int = 0


class Texts:
    """Renders and tokenises; `limit` is the longest text in tokens, None for no limit.

    With `ending`, line breaks at the end of a render go, and it ends in that token. With `pairs`,
    `start` is where the second segment begins: behind the separator that ends the prompt.
    `appended` is a token that ends each text, once; with `bare` the tokenizer adds none of its own.
    """

    def __init__(
        self,
        tokenizer: Any,
        template: Template,
        limit: int | None,
        side: str,
        *,
        ending: str | None = None,
        pairs: bool = False,
        appended: int | None = None,
        bare: bool = False,
    ) -> None:
        self._tokenizer = tokenizer
        self._template = template
        self._ending = ending
        self._pairs = pairs
        self._limit = limit
        self._cuts_left = side == "left"
        self._appended = () if appended is None else (appended,)
        self._before, self._after = ((), ()) if bare else _ends(tokenizer)

    def encode(
        self, conversations: Sequence[Messages], *, find_responses: bool = False
    ) -> list[Tokens | Failure]:
        """Tokenise conversations that end in the response; a template may refuse some.

        With `find_responses`, `start` is the first token of the response: behind the longest
        common beginning, in tokens, of the conversation and of its prompt rendered with the
        generation prompt. Everything from there on counts as the response, with what the template
        writes behind it (the end-of-turn token, a line break), as reward-bench and TRL count.
        """
        ids = self._tokenised([self._rendered(turns) for turns in conversations])
        prompts: Sequence[TokenIds | Failure] = [()] * len(conversations)
        if find_responses:
            prompts = self._tokenised(
                [self._rendered(turns[:-1], add_generation_prompt=True) for turns in conversations]
            )
        made: list[Tokens | Failure] = []
        for own, prompt in zip(ids, prompts, strict=True):
            if isinstance(own, Failure):
                made.append(own)
            elif isinstance(prompt, Failure):
                made.append(prompt)
            else:
                made.append(self._cut(own, _common(own, prompt)))
        if self._pairs:
            return [
                replace(text, start=self._second(text.ids, turns[0]["content"]))
                if isinstance(text, Tokens)
                else text
                for text, turns in zip(made, conversations, strict=True)
            ]
        return made

    def _second(self, ids: TokenIds, prompt: str) -> int:
        """Where the second segment begins: separators that the prompt itself holds end none."""
        separator = self._tokenizer.sep_token_id
        places = [k for k, token in enumerate(ids) if token == separator]
        at = prompt.count(self._tokenizer.sep_token)
        return places[at] + 1 if at < len(places) else len(ids)

    def _rendered(self, turns: Messages, **options: bool) -> str | Failure:
        try:
            text = _without_surrogates(self._template.render(self._tokenizer, turns, **options))
        except RENDERING_FAULTS as error:
            return Failure("template", f"the chat template does not render this: {error}")
        if self._ending is None:
            return text
        text = text.rstrip("\n")
        return text if text.endswith(self._ending) else text + self._ending

    def _tokenised(self, texts: Sequence[str | Failure]) -> list[TokenIds | Failure]:
        """Token ids of all texts in one call, which the tokenizer spreads over the cores."""
        distinct = list({text for text in texts if isinstance(text, str)})
        if not distinct:
            return [text for text in texts if isinstance(text, Failure)]
        encoded = self._tokenizer(
            distinct, add_special_tokens=False, return_attention_mask=False, verbose=False
        )
        ids = dict(zip(distinct, map(tuple, encoded["input_ids"]), strict=True))
        return [text if isinstance(text, Failure) else ids[text] for text in texts]

    def _cut(self, ids: TokenIds, start: int) -> Tokens:
        before, after = self._before, self._after
        if before and ids[: len(before)] == before:
            before, after = (), ()  # the template writes them itself
        if self._appended and (*ids, *after)[-1:] != self._appended:
            after = (*after, *self._appended)
        room = None if self._limit is None else max(1, self._limit - len(before) - len(after))
        if room is None or len(ids) <= room:
            return Tokens((*before, *ids, *after), start=start + len(before))
        dropped = len(ids) - room if self._cuts_left else 0
        kept = ids[dropped : dropped + room]
        start = max(0, start - dropped) + len(before)
        return Tokens((*before, *kept, *after), truncated=True, start=start)


def _ends(tokenizer: Any) -> tuple[TokenIds, TokenIds]:
    """What the tokenizer by itself puts before and behind a text."""
    bare = tuple(tokenizer("a", add_special_tokens=False)["input_ids"])
    full = tuple(tokenizer("a")["input_ids"])
    for at in range(len(full) - len(bare) + 1):
        if full[at : at + len(bare)] == bare:
            return full[:at], full[at + len(bare) :]
    return (), ()


def _common(one: TokenIds, other: TokenIds) -> int:
    pairs = zip(one, other, strict=False)
    return next((k for k, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _without_surrogates(text: str) -> str:
    """Halves of characters, which JSON can hold and no tokenizer can read, as U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
