"""One copy of a judging model: calls to token ids by its chat template, and back to replies."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from rmjudge.calls import Call, Failure, Json, Outcome
from rmjudge.errors import UsageError
from rmjudge.judging.methods import JudgingMethod
from rmjudge.judging.prompt import JudgePrompt
from rmjudge.judging.templates import RENDERING_FAULTS
from rmjudge.providers.chat import MAX_TOKENS, TOP_LOGPROBS
from rmjudge.providers.judge import REASONING_TOKENS
from rmjudge.providers.local.judge_replies import reply_of
from rmjudge.providers.local.templates import Template
from rmjudge.providers.rendering import Messages

if TYPE_CHECKING:
    from rmjudge.providers.local.generation import Place, Prompt, Written

OPENING: Final = "<think>"
ENDLESS: Final = 10**9
Keep: TypeAlias = Callable[[int, dict[str, Json] | Failure], None]


def switches_of(judging: JudgingMethod) -> dict[str, bool]:
    """What templates are told: where the first token decides, to leave no room for reasoning."""
    return {"enable_thinking": False} if judging.needs_logprobs else {}


class ChatFrame:
    """From a judge's prompt to token ids, by the model's own chat template.

    `folds_system` says that the template refuses or drops a system turn, so that instructions
    begin the user's turn.

    Raises:
        UsageError: the template does not render a question.
    """

    def __init__(
        self, tokenizer: Any, template: Template, judging: JudgingMethod, name: str
    ) -> None:
        self.tokenizer = tokenizer
        self._template = template
        self._switches = switches_of(judging)
        self.folds_system = not self._shows_system()
        try:
            self.text(JudgePrompt("the-system", "", "the-user"))
        except RENDERING_FAULTS as error:
            raise UsageError(f"{name}: its chat template does not render: {error}") from error

    def _shows_system(self) -> bool:
        turns = [_turn("system", "the-system"), _turn("user", "the-user")]
        try:
            return "the-system" in self._render(turns)
        except RENDERING_FAULTS:
            return False

    def text(self, prompt: JudgePrompt) -> str:
        """The prompt as the model reads it, up to where its own turn begins."""
        if prompt.turns or not prompt.system:
            return self._render([_turn(role, text) for role, text in prompt.chat])
        if self.folds_system:
            return self._render([_turn("user", f"{prompt.system}\n\n{prompt.user}")])
        return self._render([_turn("system", prompt.system), _turn("user", prompt.user)])

    def _render(self, turns: Messages) -> str:
        text = self._template.render(
            self.tokenizer, turns, add_generation_prompt=True, **self._switches
        )
        # Halves of characters, which JSON can hold and no tokenizer can read, become U+FFFD.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def tokens(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Token ids; the template has written what begins a text, so that nothing is added."""
        if not texts:
            return []
        encoded = self.tokenizer(
            list(texts), add_special_tokens=False, return_attention_mask=False, verbose=False
        )
        return [tuple(ids) for ids in encoded["input_ids"]]


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


class JudgeReplica:
    """Implements `scorer.Replica`: one copy of a model, in the thread that asks."""

    def __init__(
        self,
        model: Any,
        frame: ChatFrame,
        judging: JudgingMethod,
        *,
        name: str,
        sampled: bool = False,
        context: int | None = None,
        max_new_tokens: int = MAX_TOKENS,
        token_budget: int | None = None,
    ) -> None:
        from rmjudge.providers.local.generation import Generator

        self._judging = judging
        self._sampled = sampled
        self._frame = frame
        self._tokenizer = tokenizer = frame.tokenizer
        ten = tokenizer.encode("10", add_special_tokens=False)
        self._splits_ten = all(self._shown(token).strip() != "10" for token in ten)
        self.remark = (
            "the chat template has no system turn: the instructions begin the user's turn"
            if frame.folds_system
            else ""
        )
        if token_budget is None and judging.needs_logprobs and model.device.type == "cpu":
            token_budget = 1  # batches only add padding where one text keeps the cores busy
        self._generator = Generator(
            model,
            ends=end_tokens(model, tokenizer, name),
            pad=_pad_token(model, tokenizer),
            context=ENDLESS if context is None else context,
            max_new_tokens=max_new_tokens,
            expected_tokens=REASONING_TOKENS if judging.reasons else 0,
            token_budget=token_budget,
        )

    def answer(
        self, calls: Sequence[Call], stopping: Event, found: dict[int, Outcome] | None = None
    ) -> list[Outcome]:
        """One outcome a call, in order."""
        from rmjudge.providers.local.generation import Prompt

        outcomes: dict[int, Outcome] = {} if found is None else found
        texts: dict[int, str] = {}
        for number, call in enumerate(calls):
            try:
                texts[number] = self._frame.text(self._judging.prompt(call))
            except RENDERING_FAULTS as error:
                outcomes[number] = Failure("template", f"the chat template refuses it: {error}")
        prompts = [
            Prompt(tokens, seed_of(text, calls[number].vote) if self._sampled else None)
            for (number, text), tokens in zip(
                texts.items(), self._frame.tokens(list(texts.values())), strict=True
            )
        ]
        asked = list(texts)

        def keep(place: int, raw: dict[str, Json] | Failure) -> None:
            outcomes[asked[place]] = (
                raw if isinstance(raw, Failure) else reply_of(raw, self._judging)
            )

        ask = self._seen if self._judging.needs_logprobs else self._said
        for place, raw in enumerate(ask(prompts, list(texts.values()), stopping, keep)):
            if asked[place] not in outcomes:  # left out, or too long
                keep(place, raw)
        return [outcomes[number] for number in range(len(calls))]

    def _said(
        self, prompts: Sequence[Prompt], texts: Sequence[str], stopping: Event, keep: Keep
    ) -> list[dict[str, Json] | Failure]:
        def raw(place: int, item: Written | Failure) -> dict[str, Json] | Failure:
            if isinstance(item, Failure):
                return item
            return self._raw_text(item, prompts[place], texts[place])

        written = self._generator.write(
            prompts, stopping, lambda place, item: keep(place, raw(place, item))
        )
        return [raw(place, item) for place, item in enumerate(written)]

    def _raw_text(self, written: Written, prompt: Prompt, text: str) -> dict[str, Json]:
        # Tags of reasoning are special tokens in some vocabularies, and the parser needs them.
        answer = self._tokenizer.decode(written.tokens, skip_special_tokens=False)
        opened = OPENING if text.rstrip().endswith(OPENING) else ""
        return {
            "text": f"{opened}{answer}",
            "finish": "stop" if written.ended else "length",
            "input_tokens": len(prompt.tokens),
            "output_tokens": len(written.tokens) + written.ended,
        }

    def _seen(
        self, prompts: Sequence[Prompt], _texts: Sequence[str], stopping: Event, keep: Keep
    ) -> list[dict[str, Json] | Failure]:
        def raw(place: int, item: tuple[Place, ...] | Failure) -> dict[str, Json] | Failure:
            return item if isinstance(item, Failure) else self._raw_places(item, prompts[place])

        looked = self._generator.look(
            prompts,
            self._follow(),
            TOP_LOGPROBS,
            stopping,
            lambda place, item: keep(place, raw(place, item)),
        )
        return [raw(place, item) for place, item in enumerate(looked)]

    def _follow(self) -> Callable[[Sequence[Place]], int | None]:
        """Go past blanks to the first visible token, and past a "1" that may become a "10"."""
        splits = self._splits_ten and self._judging.scores == "pointwise"

        def follow(places: Sequence[Place]) -> int | None:
            place = places[-1]
            if place.after is not None and self._shown(place.after).strip():
                return None
            first = place.likeliest[0][0]
            if not self._shown(first).strip():
                return first
            ones = (token for token, _ in place.likeliest if self._shown(token).strip() == "1")
            return next(ones, None) if splits else None

        return follow

    def _raw_places(self, places: Sequence[Place], prompt: Prompt) -> dict[str, Json]:
        return {
            "places": [
                {
                    "after": "" if place.after is None else self._shown(place.after),
                    "tokens": self._alternatives(place),
                }
                for place in places
            ],
            "input_tokens": len(prompt.tokens),
            "output_tokens": 0,
        }

    def _alternatives(self, place: Place) -> dict[str, Json]:
        """Log-probabilities by text: tokens that read the same, such as "A" and "▁A", add up."""
        parts: dict[str, list[float]] = {}
        for token, value in place.likeliest:
            if math.isfinite(value):
                parts.setdefault(self._shown(token), []).append(value)
        return {text: _log_sum(values) for text, values in parts.items()}

    def _shown(self, token: int) -> str:
        return str(self._tokenizer.decode([token], skip_special_tokens=False))


def _log_sum(values: Sequence[float]) -> float:
    """log(sum(exp(v))); each is at most 0, as is a sum of probabilities."""
    most = max(values)
    return min(0.0, most + math.log(math.fsum(math.exp(value - most) for value in values)))


def seed_of(text: str, vote: int) -> int:
    """A sample's seed: of the question and its vote alone, so that a run repeats."""
    data = f"{vote}\n{text}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "big")


def end_tokens(model: Any, tokenizer: Any, name: str) -> list[int]:
    """What ends the model's turn: the ids of its generation configuration and its tokenizer's.

    Raises:
        UsageError: neither names one, so that every answer would run into the limit.
    """
    named = model.generation_config.eos_token_id
    ids = named if isinstance(named, (list, tuple)) else [named]
    found = [token for token in (*ids, tokenizer.eos_token_id) if token is not None]
    if not found:
        raise UsageError(
            f"{name}: neither generation_config.json nor the tokenizer names the token that ends "
            "an answer; set eos_token_id in generation_config.json"
        )
    return list(dict.fromkeys(found))


def _pad_token(model: Any, tokenizer: Any) -> int:
    """Any token will do, since it is masked."""
    pad = tokenizer.pad_token_id
    if pad is None:
        pad = model.generation_config.pad_token_id
    return 0 if pad is None else int(pad)
