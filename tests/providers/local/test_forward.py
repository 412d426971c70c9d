"""What a forward pass promises beside its numbers: independence, memory, which way it took."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from local_decoders import VOCABULARY, decoder, groups, hidden, largest, plainly, tokens

from rmjudge.errors import ProviderStopped, UsageError
from rmjudge.providers.local import matmul
from rmjudge.providers.local.forward import Forward, Group, States
from rmjudge.providers.local.matmul import Product

ARCHITECTURES = ("qwen3", "gemma2", "mistral", "gpt-neox")


def others() -> list[Group]:
    return [
        [tokens(17, 20) + tokens(size, size) for size in (3, 31, 8)],
        [tokens(1, 30)],
        [tokens(64, 31), tokens(9, 32)],
    ]


@pytest.mark.parametrize("product", ["torch", "widened"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_bf16_states_are_the_same_bits_whatever_else_is_in_the_pack(
    name: str, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matmul, "fastest", lambda *_: product)
    forward = Forward(decoder(name).bfloat16(), token_budget=4096)
    assert forward.way == "packed"
    assert forward.described["matmul"] == product
    asked = [group for group in groups() if group]
    alone = [hidden(forward, [group])[0] for group in asked]
    before = hidden(forward, [*others(), *asked])[3:]
    between = hidden(forward, [others()[0], *asked, *others()[1:]])[1:-2]
    for mixed in (before, between):
        assert all(
            torch.equal(mine, theirs)
            for group, same in zip(alone, mixed, strict=True)
            for mine, theirs in zip(group, same, strict=True)
        )


def test_bf16_states_are_near_the_fp32_ones() -> None:
    model = decoder("llama")
    expected = plainly(model, groups())
    spread = max(float(states.abs().max()) for group in expected for states in group)
    found = hidden(Forward(model.bfloat16()), groups())
    assert largest(found, expected) < 0.1 * spread


@pytest.mark.parametrize("way", ["packed", "sorted"])
def test_nothing_asked_is_nothing_answered(way: str) -> None:
    forward = Forward(decoder("llama"), way=way)  # type: ignore[arg-type]
    assert forward.run([], lambda states: [0 for _ in states.rows]) == []
    assert forward.run([[], []], lambda states: [0 for _ in states.rows]) == [[], []]


@pytest.mark.parametrize("way", ["packed", "sorted"])
@pytest.mark.parametrize("budget", [1, 20, 10_000])
def test_values_come_back_at_their_places_whatever_the_budget(way: str, budget: int) -> None:
    forward = Forward(decoder("llama"), way=way, token_budget=budget)  # type: ignore[arg-type]

    def read(states: States) -> list[tuple[object, object]]:
        assert len(states.rows) == len(states.sequences) == len(states.places)
        return list(zip(states.sequences, states.places, strict=True))

    found = forward.run(groups(), read)
    assert found == [
        [(sequence, (g, k)) for k, sequence in enumerate(group)] for g, group in enumerate(groups())
    ]


def test_packs_keep_to_the_budget() -> None:
    passes: list[int] = []

    def read(states: States) -> list[int]:
        passes.append(states.hidden.shape[0])
        return [0] * len(states.rows)

    asked = [[tokens(30, seed)] for seed in range(10)]
    Forward(decoder("llama"), token_budget=100).run(asked, read)
    assert passes == [90, 90, 90, 32]


def out_of_memory_above(
    rows: int, error: Callable[[], Exception], seen: list[int]
) -> Callable[[States], Sequence[torch.Tensor]]:
    """A reader that finds no memory for passes of more than `rows` rows."""

    def read(states: States) -> Sequence[torch.Tensor]:
        seen.append(states.hidden.shape[0])
        if states.hidden.shape[0] > rows:
            raise error()
        return [states.hidden[own].clone() for own in states.rows]

    return read


ERRORS = [
    lambda: torch.OutOfMemoryError("CUDA out of memory."),
    lambda: RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
    lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate`"),
]


@pytest.mark.parametrize("error", ERRORS)
def test_out_of_memory_halves_the_pack_and_goes_on(error: Callable[[], Exception]) -> None:
    model = decoder("llama")
    asked = [[tokens(40, seed)] for seed in range(8)]
    expected = plainly(model, asked)
    forward = Forward(model, token_budget=1000)
    seen: list[int] = []
    found = forward.run(asked, out_of_memory_above(100, error, seen))
    assert forward.halvings == 2
    assert seen == [320, 160, 80, 80, 80, 80]
    assert largest(found, expected) < 1e-4


def test_a_group_that_does_not_fit_is_split() -> None:
    model = decoder("llama")
    expected = plainly(model, groups())
    forward = Forward(model)
    found = forward.run(groups(), out_of_memory_above(45, ERRORS[0], []))
    assert forward.halvings > 0
    assert largest(found, expected) < 1e-4


@pytest.mark.parametrize("way", ["packed", "sorted"])
def test_one_sequence_that_does_not_fit_is_told_with_its_length(way: str) -> None:
    forward = Forward(decoder("llama"), way=way)  # type: ignore[arg-type]
    with pytest.raises(ProviderStopped, match=r"one text of 4[01] tokens does not fit into memory"):
        forward.run(groups(), out_of_memory_above(39, ERRORS[0], []))


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    forward = Forward(decoder("llama"))
    with pytest.raises(RuntimeError, match="something else"):
        forward.run(groups(), out_of_memory_above(1, lambda: RuntimeError("something else"), []))


def test_it_tells_the_way_and_the_product() -> None:
    model = decoder("llama")
    assert Forward(model, way="sorted").described["way"] == "sorted/1"
    packed = Forward(model).described
    assert packed["way"] == "packed/1"
    assert packed["matmul"] in ("torch", "onednn")  # which is faster here and now is measured


def test_a_model_that_cannot_be_packed_is_refused_where_packed_was_demanded() -> None:
    import transformers

    config = transformers.MambaConfig(
        vocab_size=VOCABULARY, hidden_size=48, num_hidden_layers=2, state_size=4
    )
    model = transformers.AutoModel.from_config(config).eval()
    with pytest.raises(UsageError, match="cannot be scored packed: 2 of its 2 layers"):
        Forward(model, way="packed")


def test_a_model_in_training_is_refused() -> None:
    with pytest.raises(ValueError, match="training mode"):
        Forward(decoder("llama").train())


def test_a_model_that_breaks_in_packs_alone_is_found_out() -> None:
    model = decoder("llama")
    inner = model.layers[1].mlp.forward
    model.layers[1].mlp.forward = lambda rows: inner(rows) + rows.mean(1, keepdim=True)
    forward = Forward(model)
    assert forward.way == "sorted"
    assert "not the plain forward's" in forward.reason


def test_padded_batches_leave_the_states_of_single_sequences() -> None:
    model = decoder("gemma2")
    forward = Forward(model, way="sorted", token_budget=200)
    forward._route._alone = False  # type: ignore[attr-defined]
    widths: list[int] = []

    def read(states: States) -> list[torch.Tensor]:
        widths.append(len(states.rows))
        return [states.hidden[rows].clone() for rows in states.rows]

    found = forward.run(groups(), read)
    assert max(widths) > 1
    assert largest(found, plainly(model, groups())) < 1e-4


def test_a_model_that_runs_no_text_at_all_is_told_in_a_line() -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("its own words")

    model = decoder("llama")
    model.layers[0].forward = broken
    with pytest.raises(UsageError, match="does not run on a short text: its own words"):
        Forward(model)
