"""Log-probabilities of responses, against a full log-softmax."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from local_decoders import CONFIGS, VOCABULARY, enlarged, tokens
from torch import Tensor

from rmjudge.providers.local import likelihoods
from rmjudge.providers.local.forward import Forward, Group, States
from rmjudge.providers.local.likelihoods import ResponseLogprob, response_logprobs

PROMPT = 7
PREFIX = tokens(PROMPT, 1)
GROUPS: list[Group] = [
    [PREFIX + tokens(11, 2) + tokens(6, 3), PREFIX + tokens(11, 2) + tokens(4, 4)],
    [PREFIX + tokens(1, 5), PREFIX, PREFIX + tokens(11, 2), PREFIX + tokens(11, 2)],
]


def causal(name: str) -> Any:
    import transformers

    torch.manual_seed(3)
    return enlarged(transformers.AutoModelForCausalLM.from_config(CONFIGS[name]()).eval())


def head_of(model: Any) -> Any:
    """The logits as the model itself makes them, the softcap of Gemma 2 included."""
    cap = getattr(model.config, "final_logit_softcapping", None)
    out = model.get_output_embeddings()
    return lambda rows: out(rows) if cap is None else cap * torch.tanh(out(rows) / cap)


def measured(model: Any, chunk: int | None = None) -> list[list[ResponseLogprob]]:
    def read(states: States) -> list[ResponseLogprob]:
        starts = [PROMPT] * len(states.sequences)
        return response_logprobs(states, starts, head_of(model), chunk=chunk)

    return Forward(model.base_model).run(GROUPS, read)


def expected(model: Any, sequence: tuple[int, ...]) -> float:
    """By the whole model and a whole log-softmax, in fp64."""
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([sequence]), use_cache=False).logits[0].double()
    told = torch.log_softmax(logits, -1)
    return sum(float(told[at - 1, sequence[at]]) for at in range(PROMPT, len(sequence)))


@pytest.mark.parametrize("chunk", [None, 1, 5])
@pytest.mark.parametrize("name", ["llama", "gemma2", "gpt-neox"])
def test_sums_are_those_of_a_whole_log_softmax(name: str, chunk: int | None) -> None:
    model = causal(name)
    found = measured(model, chunk)
    for group, row in zip(GROUPS, found, strict=True):
        for sequence, one in zip(group, row, strict=True):
            assert one.tokens == len(sequence) - PROMPT
            assert one.total == pytest.approx(expected(model, sequence), rel=1e-5, abs=1e-5)


def states(width: int = 8, length: int = 40) -> States:
    hidden = torch.randn(length, width, generator=torch.Generator().manual_seed(0))
    return States(hidden, [torch.arange(length)], [tokens(length, 9)], [(0, 0)])


def test_no_more_logits_are_held_than_a_chunk_of_rows() -> None:
    weight = torch.randn(VOCABULARY, 8)
    widths: list[int] = []

    def head(rows: Tensor) -> Tensor:
        widths.append(len(rows))
        return rows @ weight.T

    response_logprobs(states(length=400), [1], head, chunk=32)
    assert max(widths) == 32
    assert sum(widths) >= 399


def test_by_default_a_chunk_holds_so_many_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likelihoods, "CHUNK_BYTES", 100 * 4 * VOCABULARY)
    weight = torch.randn(VOCABULARY, 8)
    widths: list[int] = []

    def head(rows: Tensor) -> Tensor:
        widths.append(len(rows))
        return rows @ weight.T

    response_logprobs(states(length=400), [1], head)
    assert max(widths) == 100


def test_rows_that_responses_share_get_their_logits_once() -> None:
    weight = torch.randn(VOCABULARY, 8)
    asked: list[int] = []

    def head(rows: Tensor) -> Tensor:
        asked.append(len(rows))
        return rows @ weight.T

    one = states()
    twice = States(
        one.hidden, [*one.rows, *one.rows], [*one.sequences, *one.sequences], [(0, 0), (0, 1)]
    )
    first, second = response_logprobs(twice, [1, 1], head, chunk=64)
    assert first == second == response_logprobs(one, [1], lambda rows: rows @ weight.T)[0]
    assert max(asked) == 39


def test_a_response_without_tokens_has_none() -> None:
    weight = torch.randn(VOCABULARY, 8)
    found = response_logprobs(states(), [40], lambda rows: rows @ weight.T)
    assert found == [ResponseLogprob(0.0, 0)]


@pytest.mark.parametrize("start", [0, -1, 41])
def test_a_response_that_nothing_predicts_is_refused(start: int) -> None:
    with pytest.raises(ValueError, match=f"starts at token {start} of 40"):
        response_logprobs(states(), [start], lambda rows: rows)


def test_long_sums_are_taken_in_fp64() -> None:
    """In fp32 a sum of so many equal numbers is off in the fifth digit."""
    length = 200_001
    hidden = torch.zeros(length, 1)
    long = States(hidden, [torch.arange(length)], [(1,) * length], [(0, 0)])
    (one,) = response_logprobs(long, [1], lambda rows: rows.expand(-1, 3))
    each = float(torch.log_softmax(torch.zeros(3), -1)[1])
    assert one.total == pytest.approx(each * 200_000, rel=1e-9)
