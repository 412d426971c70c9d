"""Text from a causal language model: batched `generate`, and what would come first.

Imported when a local judge is built, not before: it needs torch and transformers. It knows
token ids and a model, and nothing of judging.

What a prompt gets does not depend on the prompts beside it: rows are padded on the left and
masked, samples are drawn with a generator of the prompt's own, and how far a row may run
follows from its own length. What is left is floating-point noise, since a product over another
number of rows may round differently: in fp32 about 1e-6 of a log-probability, so that greedy
texts are the same in practice; in bf16 about 1e-2, so that a text may take another turn where
two tokens are nearly as likely.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from time import monotonic
from typing import Any, Final, TypeAlias, TypeVar

import torch
from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

from rmjudge.calls import Failure
from rmjudge.providers.local.memory import give_back, ran_out
from rmjudge.providers.local.texts import TokenIds

T = TypeVar("T")

GPU_TOKENS: Final = 65_536
CPU_TOKENS: Final = 16_384
"""Tokens held at once, prompts and what is expected to be written. Larger batches only wait
longer for their longest row on a CPU; memory that does not suffice halves the batch."""
GRACE_S: Final = 20.0
"""How long a text may go on once the run is ending; the orchestrator waits a little longer."""
ROOM_STEP: Final = 64
"""Rooms that the context cuts short are multiples of this, so that prompts share batches."""
MOST_PLACES: Final = 4
"""First tokens looked at: a few blanks, the answer, and what follows it."""
_STOPPED: Final = Failure("stopped", "the run is ending")


@dataclass(frozen=True, slots=True)
class Prompt:
    """Token ids; `seed` draws a sample, None takes the likeliest token each time."""

    tokens: TokenIds
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What a model wrote, without the token that ended it.

    `ended` is False where it was cut: `max_new_tokens`, or the end of the context.
    """

    tokens: TokenIds
    ended: bool


@dataclass(frozen=True, slots=True)
class Place:
    """What could stand in one place: token ids with log-probabilities, the likeliest first.

    `after` is the token that was put before it, None right after the prompt.
    """

    likeliest: tuple[tuple[int, float], ...]
    after: int | None = None


Follow: TypeAlias = Callable[[Sequence[Place]], int | None]
"""Given the places so far, the token to go on with, or None to look no further."""


Finding: TypeAlias = Callable[[int, T | Failure], None]
"""Told the number of a prompt and its outcome as soon as there is one."""


def _ignore(number: int, outcome: object) -> None:
    """Nobody waits for the parts."""


class Generator:
    """A model on its device, in eval mode, and how much it may hold and write.

    `context` is the number of positions the model has; `ends` are the tokens that end a text;
    `expected_tokens` is what a text takes roughly, for the size of batches. One thread at a time.
    """

    def __init__(
        self,
        model: Any,
        *,
        ends: Sequence[int],
        pad: int,
        context: int,
        max_new_tokens: int,
        expected_tokens: int,
        token_budget: int | None = None,
    ) -> None:
        self._model = model
        # Whatever the model's own file says of penalties, temperature or beams would be laid
        # under each call's configuration.
        model.generation_config = GenerationConfig(eos_token_id=list(ends), pad_token_id=pad)
        self._device = model.get_input_embeddings().weight.device
        self._ends = frozenset(ends)
        self._end = ends[0]
        self._pad = pad
        self._context = context
        self._max_new_tokens = max_new_tokens
        self._expected = expected_tokens
        self._budget = token_budget or (CPU_TOKENS if self._device.type == "cpu" else GPU_TOKENS)

    def write(
        self, prompts: Sequence[Prompt], stopping: Event, found: Finding[Written] = _ignore
    ) -> list[Written | Failure]:
        """Go on from each prompt; all have a seed or none has.

        Once `stopping` is set no batch is begun, and the one under way has `GRACE_S` left.
        """

        def run(batch: Sequence[Prompt]) -> list[Written | Failure]:
            seeds = [prompt.seed for prompt in batch if prompt.seed is not None]
            room = self._room(batch[0])
            patience = _Patience(stopping)
            rows = self._generate(batch, room, [_Sampling(seeds)] if seeds else [], [patience])
            return [self._written(row, broken=patience.broken) for row in rows]

        return self._in_batches(prompts, self._room, run, stopping, found)

    def look(
        self,
        prompts: Sequence[Prompt],
        follow: Follow,
        top: int,
        stopping: Event,
        found: Finding[tuple[Place, ...]] = _ignore,
    ) -> list[tuple[Place, ...] | Failure]:
        """Tell the `top` likeliest tokens after each prompt; nothing is sampled.

        The log-softmax is taken in fp32. One forward pass; one more of a single token for as
        long as `follow` names a token to go on with, at most `MOST_PLACES` in all.
        """

        def run(batch: Sequence[Prompt]) -> list[tuple[Place, ...] | Failure]:
            looking = _Looking(len(batch), follow, top, self._end)
            self._generate(batch, MOST_PLACES, [looking], [])
            return [tuple(places) for places in looking.places]

        return self._in_batches(prompts, self._room_to_look, run, stopping, found)

    def _room(self, prompt: Prompt) -> int:
        """How much may be written after a prompt: it follows from its own length alone."""
        left = self._context - len(prompt.tokens)
        if left >= self._max_new_tokens:
            return self._max_new_tokens
        return left // ROOM_STEP * ROOM_STEP or left

    def _room_to_look(self, prompt: Prompt) -> int:
        return MOST_PLACES if self._context - len(prompt.tokens) >= MOST_PLACES else 0

    def _in_batches(
        self,
        prompts: Sequence[Prompt],
        room: Callable[[Prompt], int],
        run: Callable[[Sequence[Prompt]], list[T | Failure]],
        stopping: Event,
        found: Finding[T],
    ) -> list[T | Failure]:
        """Run prompts of like room and length together; too little memory halves the batch."""
        outcomes: dict[int, T | Failure] = {}
        waiting: deque[int] = deque()
        for number, prompt in enumerate(prompts):
            if room(prompt) < 1:
                outcomes[number] = self._too_long(prompt)
            else:
                waiting.append(number)
        waiting = deque(sorted(waiting, key=lambda k: (room(prompts[k]), len(prompts[k].tokens))))
        while waiting and not stopping.is_set():
            numbers = self._take(waiting, prompts, room)
            batch = [prompts[number] for number in numbers]
            results = self._attempt(run, batch)
            if results is not None:
                for number, result in zip(numbers, results, strict=True):
                    outcomes[number] = result
                    found(number, result)
            elif len(batch) == 1:
                outcomes[numbers[0]] = Failure(
                    "out-of-memory",
                    f"a prompt of {len(batch[0].tokens)} tokens alone does not fit into memory",
                )
            else:
                half = len(batch) // 2
                self._budget = self._cost(batch[half - 1], room) * half
                waiting.extendleft(reversed(numbers))
        return [outcomes.get(number, _STOPPED) for number in range(len(prompts))]

    def _take(
        self, waiting: deque[int], prompts: Sequence[Prompt], room: Callable[[Prompt], int]
    ) -> list[int]:
        taken = [waiting.popleft()]
        while waiting:
            following = prompts[waiting[0]]
            if room(following) != room(prompts[taken[0]]):
                break
            if self._cost(following, room) * (len(taken) + 1) > self._budget:
                break
            taken.append(waiting.popleft())
        return taken

    def _cost(self, longest: Prompt, room: Callable[[Prompt], int]) -> int:
        return len(longest.tokens) + min(room(longest), self._expected)

    def _attempt(
        self, run: Callable[[Sequence[Prompt]], list[T | Failure]], batch: Sequence[Prompt]
    ) -> list[T | Failure] | None:
        """Run a batch; None where memory does not suffice."""
        try:
            with torch.inference_mode():
                return run(batch)
        except (MemoryError, RuntimeError) as error:
            if not ran_out(error):
                raise
        give_back()  # not in the handler: the error holds the frames, and the frames the tensors
        return None

    def _generate(
        self,
        batch: Sequence[Prompt],
        room: int,
        choose: Sequence[Callable[..., Any]],
        until: Sequence[Callable[..., Any]],
    ) -> list[list[int]]:
        """The tokens after each prompt, padded after their end."""
        width = max(len(prompt.tokens) for prompt in batch)
        gaps = [width - len(prompt.tokens) for prompt in batch]
        rows = zip(gaps, batch, strict=True)
        ids = torch.tensor([[self._pad] * gap + list(prompt.tokens) for gap, prompt in rows])
        mask = torch.tensor([[0] * gap + [1] * (width - gap) for gap in gaps])
        made = self._model.generate(
            input_ids=ids.to(self._device),
            attention_mask=mask.to(self._device),
            generation_config=GenerationConfig(max_new_tokens=room, do_sample=False),
            logits_processor=LogitsProcessorList(choose),
            stopping_criteria=StoppingCriteriaList(until),
        )
        return made[:, width:].tolist()  # type: ignore[no-any-return]

    def _written(self, row: Sequence[int], *, broken: bool) -> Written | Failure:
        for place, token in enumerate(row):
            if token in self._ends:
                return Written(tuple(row[:place]), ended=True)
        return _STOPPED if broken else Written(tuple(row), ended=False)

    def _too_long(self, prompt: Prompt) -> Failure:
        return Failure(
            "prompt-too-long",
            f"the prompt has {len(prompt.tokens)} tokens, and the model's context ends at "
            f"{self._context}",
        )


class _Patience:
    """Ends a generation `GRACE_S` after the run was asked to end."""

    def __init__(self, stopping: Event) -> None:
        self.broken = False
        self._stopping = stopping
        self._until: float | None = None

    def __call__(self, ids: Any, _scores: Any, **_: Any) -> Any:
        if self._stopping.is_set():
            self._until = self._until or monotonic() + GRACE_S
            self.broken = monotonic() >= self._until
        return torch.full((len(ids),), self.broken, device=ids.device)


class _Sampling:
    """Draws each row's token by inversion, with one uniform number of the row's own a step.

    `generate` would draw all rows from one stream, so that a sample depended on its neighbours.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._draws = [random.Random(seed) for seed in seeds]  # noqa: S311 - to repeat, not to hide

    def __call__(self, _ids: Any, scores: Any) -> Any:
        # Metal has no float64; in float32 a draw may round up to 1, which no token answers to.
        exact = scores.to("cpu" if scores.device.type == "mps" else scores.device).double()
        shares = exact.softmax(-1).cumsum(-1)
        draws = exact.new_tensor([[draw.random()] for draw in self._draws])
        chosen = torch.searchsorted(shares, draws * shares[:, -1:], right=True)
        return _only(scores, chosen.clamp(max=scores.shape[-1] - 1))


class _Looking:
    """Notes the likeliest tokens of each place and puts there what `follow` says."""

    def __init__(self, rows: int, follow: Follow, top: int, end: int) -> None:
        self.places: list[list[Place]] = [[] for _ in range(rows)]
        self._next: list[int | None] = [None] * rows
        self._done = [False] * rows
        self._follow = follow
        self._top = top
        self._end = end

    def __call__(self, _ids: Any, scores: Any) -> Any:
        values, tokens = scores.float().log_softmax(-1).topk(min(self._top, scores.shape[-1]))
        found = zip(tokens.tolist(), values.tolist(), strict=True)
        for row, pairs in enumerate(found):
            if not self._done[row]:
                self._note(row, tuple(zip(*pairs, strict=True)))
        chosen = [self._end if token is None else token for token in self._next]
        return _only(scores, torch.tensor(chosen, device=scores.device).unsqueeze(1))

    def _note(self, row: int, likeliest: tuple[tuple[int, float], ...]) -> None:
        places = self.places[row]
        places.append(Place(likeliest, self._next[row]))
        self._next[row] = self._follow(places) if len(places) < MOST_PLACES else None
        self._done[row] = self._next[row] is None


def _only(scores: Any, chosen: Any) -> Any:
    """Scores that leave one token a row: `chosen` [rows, 1]."""
    return torch.full_like(scores, -torch.inf).scatter_(1, chosen.to(scores.device), 0.0)
