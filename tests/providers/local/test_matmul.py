"""Other kernels for a matrix product: as exact as torch's own, and chosen by trial."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from rmjudge.providers.local import matmul


def linear(dtype: torch.dtype, *, bias: bool = True) -> nn.Module:
    torch.manual_seed(0)
    return nn.Linear(70, 130, bias=bias).to(dtype)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    ("product", "dtype"),
    [("onednn", torch.float32), ("widened", torch.bfloat16), ("widened", torch.float16)],
)
def test_every_product_is_that_of_fp64_to_rounding(
    product: str, dtype: torch.dtype, bias: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matmul, "SCRATCH", 70 * 50)  # slices that do not divide the outputs
    layer: Any = linear(dtype, bias=bias).requires_grad_(False)
    rows = torch.randn(2, 33, 70).to(dtype)
    exact = rows.double() @ layer.weight.double().T + (layer.bias.double() if bias else 0)
    found = matmul._PRODUCTS[product](layer, rows)
    assert (found.dtype, found.shape) == (dtype, (2, 33, 130))
    eps = torch.finfo(dtype).eps
    assert float((found.double() - exact).abs().max()) <= 4 * eps * float(exact.abs().max())


def model(dtype: torch.dtype) -> nn.Module:
    torch.manual_seed(0)
    return (
        nn.Sequential(nn.Linear(64, 96), nn.GELU(), nn.Linear(96, 32))
        .to(dtype)
        .eval()
        .requires_grad_(False)
    )


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    """What one test's trial has shown is not kept for the next."""
    fastest = matmul.fastest
    fastest.cache_clear()
    yield
    fastest.cache_clear()


def choose(monkeypatch: pytest.MonkeyPatch, product: str) -> None:
    monkeypatch.setattr(matmul, "fastest", lambda *_: product)


def test_the_layers_use_the_chosen_product_and_keep_their_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose(monkeypatch, "widened")
    one = model(torch.bfloat16)
    rows = torch.randn(40, 64).bfloat16()
    expected = one(rows)
    places = [parameter.data_ptr() for parameter in one.parameters()]
    used: list[int] = []
    product = matmul._widened

    def noted(layer: Any, x: torch.Tensor) -> torch.Tensor:
        used.append(1)
        return product(layer, x)

    monkeypatch.setitem(matmul._PRODUCTS, "widened", noted)
    assert matmul.speed_up(one) == "widened"
    assert torch.allclose(one(rows), expected, atol=0.02)
    assert len(used) == 2
    assert [parameter.data_ptr() for parameter in one.parameters()] == places
    matmul.restore(one)
    assert torch.equal(one(rows), expected)
    assert len(used) == 2


def test_where_nothing_is_faster_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    choose(monkeypatch, "torch")
    one = model(torch.float32)
    assert matmul.speed_up(one) == "torch"
    assert all("forward" not in vars(layer) for layer in one.modules())


def test_layers_that_are_more_than_linear_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Quantised(nn.Linear):  # type: ignore[misc]
        """A linear layer of a library that keeps its weights in another form."""

    choose(monkeypatch, "widened")
    layer = Quantised(8, 8, dtype=torch.bfloat16)
    assert matmul.speed_up(layer) == "torch"
    assert "forward" not in layer.__dict__


def burn(seconds: float) -> None:
    """Use so much CPU time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def slowed(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """The other product takes so much longer than it does."""
    product = matmul._widened

    def slow(layer: Any, rows: torch.Tensor) -> torch.Tensor:
        burn(seconds)
        return product(layer, rows)

    monkeypatch.setitem(matmul._PRODUCTS, "widened", slow)


def test_a_slower_product_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    slowed(monkeypatch, 0.1)
    assert matmul.fastest(torch.bfloat16, 64, 64) == "torch"


def test_a_faster_product_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = nn.Linear.forward

    def slow(layer: Any, rows: torch.Tensor) -> torch.Tensor:
        burn(0.1)
        result: torch.Tensor = usual(layer, rows)
        return result

    monkeypatch.setattr(nn.Linear, "forward", slow)
    assert matmul.fastest(torch.bfloat16, 64, 64) == "widened"


def test_a_faster_product_of_other_numbers_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(matmul._PRODUCTS, "widened", lambda _, rows: rows.new_zeros(len(rows), 64))
    assert matmul.fastest(torch.bfloat16, 64, 64) == "torch"
