"""Batched text and first tokens of causal models, held against their plain forward."""

from __future__ import annotations

import random
from collections.abc import Sequence
from threading import Event
from typing import Any

import pytest
from local_models import DECODERS, Kind, make_config, make_tokenizer
from told_models import END, told_model, writes

from rmjudge.calls import Failure
from rmjudge.providers.local import generation
from rmjudge.providers.local.generation import Generator, Place, Prompt, Written

FOREVER = Event()
TOKENIZER = make_tokenizer(Kind(task="CausalLM"))
ENDS = TOKENIZER.encode(END)


def random_model(family: str = "llama") -> Any:
    """A tiny model whose tokens depend on all that went before."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(5)
    kind = Kind(family, task="CausalLM")
    model = AutoModelForCausalLM.from_config(make_config(kind, TOKENIZER), dtype=torch.float32)
    return model.eval()


def generator(model: Any, **more: Any) -> Generator:
    asked = {"ends": ENDS, "pad": 0, "context": 2048, "max_new_tokens": 12, "expected_tokens": 12}
    return Generator(model, **{**asked, **more})


def some_prompts(count: int = 8, *, sampled: bool = False) -> list[Prompt]:
    """Prompts of different lengths, the longest first."""
    rng = random.Random(3)
    return [
        Prompt(tuple(rng.choices(range(10, 250), k=5 + 9 * k)), k if sampled else None)
        for k in reversed(range(count))
    ]


def prompt(text: str, seed: int | None = None) -> Prompt:
    return Prompt(tuple(TOKENIZER.encode(text)), seed)


def shown(item: Written | Failure) -> str:
    assert isinstance(item, Written), item
    return str(TOKENIZER.decode(item.tokens))


def no_more(_places: Sequence[Place]) -> None:
    return None


class RowsSeen:
    """Notes how many rows each pass over a prompt has; too many find no memory."""

    def __init__(self, model: Any, most: int = 10**9, error: type[Exception] | None = None) -> None:
        import torch

        self.rows: list[int] = []
        self._most = most
        self._error = error or torch.OutOfMemoryError
        model.register_forward_pre_hook(self, with_kwargs=True)

    def __call__(self, _model: Any, _args: Any, given: dict[str, Any]) -> None:
        rows, width = given["input_ids"].shape
        if width > 1:
            self.rows.append(rows)
        if rows > self._most:
            raise self._error("CUDA out of memory" if self._most else "a shape is wrong")


# What a prompt gets does not depend on its neighbours


@pytest.mark.parametrize("family", DECODERS)
def test_a_greedy_text_is_the_same_alone_as_padded_beside_longer_prompts(family: str) -> None:
    made = generator(random_model(family))
    together = made.write(some_prompts(), FOREVER)
    assert together == [made.write([one], FOREVER)[0] for one in some_prompts()]
    assert len(set(together)) > 4  # or any text would do


@pytest.mark.parametrize("family", DECODERS)
def test_a_greedy_text_is_what_plain_forward_passes_choose(family: str) -> None:
    import torch

    model = random_model(family)
    (first, *_) = made = generator(model).write(some_prompts(), FOREVER)
    assert isinstance(first, Written)
    assert len(made) == 8
    ids = list(some_prompts()[0].tokens)
    for token in first.tokens:
        assert int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()) == token
        ids.append(token)


def test_a_sample_is_the_same_alone_as_beside_others_and_when_drawn_again() -> None:
    made = generator(random_model())
    prompts = some_prompts(sampled=True)
    together = made.write(prompts, FOREVER)
    assert together == [made.write([one], FOREVER)[0] for one in prompts]
    assert together == made.write(prompts, FOREVER)


def test_another_seed_draws_another_sample() -> None:
    made = generator(random_model())
    (one, other) = made.write([prompt("a", 1), prompt("a", 2)], FOREVER)
    assert one != other


def test_samples_are_drawn_as_often_as_their_probability_says() -> None:
    model = told_model({"\n": {"A": 0.7, "B": 0.3}, "A": {END: 1.0}, "B": {END: 1.0}}, TOKENIZER)
    made = generator(model).write([prompt("?\n", seed) for seed in range(1000)], FOREVER)
    texts = [shown(text) for text in made]
    assert set(texts) == {"A", "B"}
    assert texts.count("A") == pytest.approx(700, abs=60)  # four standard deviations


# First tokens


@pytest.mark.parametrize("family", DECODERS)
@pytest.mark.parametrize("budget", [1, 10**6])
def test_first_tokens_have_the_log_probabilities_of_the_plain_forward(
    family: str, budget: int
) -> None:
    import torch

    model = random_model(family)
    places = generator(model, token_budget=budget).look(some_prompts(), no_more, 20, FOREVER)
    for one, found in zip(some_prompts(), places, strict=True):
        assert not isinstance(found, Failure)
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([one.tokens])).logits[0, -1].double()
        expected = (logits - logits.logsumexp(0)).topk(20)
        values = [value for _, value in found[0].likeliest]
        assert values == pytest.approx(expected.values.tolist(), rel=0, abs=1e-4)
        assert len(found) == 1


def test_looking_takes_one_forward_pass() -> None:
    model = told_model(writes("Ab"), TOKENIZER)
    passes: list[Any] = []
    model.register_forward_pre_hook(lambda *given: passes.append(given))
    generator(model).look([prompt("?\n")], no_more, 5, FOREVER)
    assert len(passes) == 1


def test_looking_goes_on_behind_the_token_it_is_told() -> None:
    model = told_model({"\n": {"1": 0.4, "7": 0.6}, "1": {"0": 0.25, END: 0.75}}, TOKENIZER)
    (one,), (zero,) = (TOKENIZER.encode(text) for text in "10")

    def follow(places: Sequence[Place]) -> int | None:
        return one if len(places) == 1 else None

    (found,) = generator(model).look([prompt("?\n")], follow, 20, FOREVER)
    assert not isinstance(found, Failure)
    first, second = found
    assert (first.after, second.after) == (None, one)
    assert dict(first.likeliest)[one] == pytest.approx(-0.9162907, abs=1e-5)  # ln 0.4
    assert dict(second.likeliest)[zero] == pytest.approx(-1.3862944, abs=1e-5)  # ln 0.25


# Where a text ends


def test_a_text_ends_before_any_of_the_ending_tokens() -> None:
    model = told_model(writes("Ab"), TOKENIZER)
    for ends in (ENDS, [*ENDS, *TOKENIZER.encode("b")]):
        (text,) = generator(model, ends=ends).write([prompt("?\n")], FOREVER)
        assert isinstance(text, Written)
        assert (shown(text), text.ended) == ("Ab" if ends == ENDS else "A", True)


def test_a_text_is_cut_at_the_most_new_tokens() -> None:
    model = told_model(writes("Abcdef"), TOKENIZER)
    (text,) = generator(model, max_new_tokens=3).write([prompt("?\n")], FOREVER)
    assert isinstance(text, Written)
    assert (shown(text), text.ended) == ("Abc", False)


def test_a_text_is_cut_where_the_context_ends_however_long_its_neighbours_are() -> None:
    model = told_model({"\n": {"A": 1.0}, "A": {"A": 1.0}}, TOKENIZER)
    made = generator(model, context=100, max_new_tokens=90)
    texts = made.write([prompt("?" * n + "\n") for n in (4, 20, 60, 98)], FOREVER)
    # 95 positions are left: all 90; 79 and 39 of which 64 and 39; 1.
    assert [len(shown(text)) for text in texts] == [90, 64, 39, 1]


@pytest.mark.parametrize("way", ["write", "look"])
def test_a_prompt_beyond_the_context_fails_and_the_others_do_not(way: str) -> None:
    made = generator(told_model(writes("Ab"), TOKENIZER), context=50)
    prompts = [prompt("?" * 49 + "\n"), prompt("?\n")]
    failed: Any
    fine: Any
    if way == "write":
        failed, fine = made.write(prompts, FOREVER)
    else:
        failed, fine = made.look(prompts, no_more, 5, FOREVER)
    assert failed.status == "prompt-too-long"
    assert "50 tokens" in failed.detail
    assert not isinstance(fine, Failure)


def test_penalties_and_temperatures_of_the_model_s_own_files_are_left_out() -> None:
    follows = {"\n": {"A": 1.0}, "A": {"A": 0.6, "B": 0.4}, "B": {END: 1.0}}
    model = told_model(follows, TOKENIZER)
    model.generation_config.repetition_penalty = 50.0
    model.generation_config.do_sample = True
    model.generation_config.temperature = 9.0
    (text,) = generator(model, max_new_tokens=40).write([prompt("?\n")], FOREVER)
    assert shown(text) == "A" * 40


# Memory, and the end of a run


def test_too_little_memory_halves_the_batch_and_changes_no_text() -> None:
    expected = generator(random_model()).write(some_prompts(), FOREVER)
    model = random_model()
    seen = RowsSeen(model, most=3)
    assert generator(model).write(some_prompts(), FOREVER) == expected
    assert seen.rows[:3] == [8, 4, 2]  # each of them halved: 8 and 4 found no memory
    assert max(seen.rows[2:]) <= 3


def test_a_prompt_that_alone_finds_no_memory_is_a_failure_of_its_own() -> None:
    model = random_model()
    RowsSeen(model, most=0)
    (one, other) = generator(model).write(some_prompts(2), FOREVER)
    assert isinstance(one, Failure)
    assert isinstance(other, Failure)
    assert one.status == "out-of-memory"


def test_another_error_is_raised_as_it_is() -> None:
    model = random_model()
    RowsSeen(model, most=0, error=IndexError)
    with pytest.raises(IndexError):
        generator(model).write(some_prompts(2), FOREVER)


def test_prompts_share_a_batch_within_the_budget_of_tokens() -> None:
    model = random_model()
    seen = RowsSeen(model)
    generator(model, token_budget=100).write(some_prompts(), FOREVER)
    # Lengths 5, 14, ... 68 and 12 new tokens: 3 x 35, then 2 x 44 and so on.
    assert seen.rows == [2, 2, 1, 1, 1, 1]


@pytest.fixture
def stopping() -> Event:
    return Event()


def test_nothing_is_begun_once_the_run_is_ending(stopping: Event) -> None:
    model = random_model()
    seen = RowsSeen(model)
    stopping.set()
    made = generator(model).write(some_prompts(2), stopping)
    assert [item.status for item in made if isinstance(item, Failure)] == ["stopped", "stopped"]
    assert seen.rows == []


def test_the_batch_under_way_is_finished_when_the_run_ends(stopping: Event) -> None:
    model = random_model()
    expected = generator(model).write(some_prompts(2), FOREVER)
    model.register_forward_pre_hook(lambda *_: stopping.set())
    made = generator(model, token_budget=1).write(some_prompts(2), stopping)
    assert made[1] == expected[1]  # the shorter of the two goes first
    assert isinstance(made[0], Failure)


def test_a_text_that_takes_too_long_is_broken_off_when_the_run_ends(
    stopping: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "GRACE_S", 0.0)
    model = told_model(
        {"\n": {"A": 1.0}, "A": {"A": 1.0}, "?": {END: 1.0}},
        TOKENIZER,
    )
    model.register_forward_pre_hook(lambda *_: stopping.set())
    endless, ended = generator(model).write([prompt("?\n"), prompt("\n?")], stopping)
    assert endless == Failure("stopped", "the run is ending")
    assert ended == Written((), ended=True)
