"""Operations and bytes of ops, against counts made by hand."""

from typing import Any

import pytest

from tests.kernels.cases import CASES
from tests.support.op_case import Case
from tests.support.run_op import package
from yanrt import _C


def cost(op: str, name: str, precision: str = "fp32") -> dict[str, Any]:
    case = next(case for case in CASES[op] if case.name == name)
    engine = _C.Engine(package(case, False), "cpu", precision, 1, count_only=True)
    return next(entry for entry in engine.ops("run") if entry["op"] == op)


def test_linear() -> None:
    found = cost("linear", "160x321x320")
    assert found["flops"] == 160 * 321 * (2 * 320 + 1)  # the products and the bias
    assert found["weights"] == 4 * 321 * 320
    assert found["read"] == 4 * (160 * 320 + 321 * 320 + 321)
    assert found["written"] == 4 * 160 * 321
    assert found["matrix"]
    assert not found["quadratic"]


def test_weights_are_counted_as_they_are_packed() -> None:
    assert cost("linear", "160x321x320", "bf16")["weights"] == 2 * 321 * 320


def test_epilogue_of_linear() -> None:
    plain, full = cost("linear", "none"), cost("linear", "gelu-bias-gate-residual")
    elements = 2 * 7 * 70
    assert full["flops"] - plain["flops"] == 4 * elements  # bias, gelu, gate, residual
    assert full["read"] - plain["read"] == 4 * (70 + 2 * 70 + elements)


def test_a_broadcast_operand_is_read_once() -> None:
    assert cost("linear", "one-row-repeated")["read"] == 4 * (30 + 20 * 30)


@pytest.mark.parametrize("case", CASES["ring_attention"], ids=str)
def test_ring_attention_with_a_full_ring(case: Case) -> None:
    found = cost("ring_attention", case.name)
    batch, window, places, heads, width = case.shape
    history, others = case.attrs["history"], places if case.attrs["scope"] == "frame" else 1
    seen = sum(history + i + 1 for i in range(window))  # frames, over the queries of one position
    pairs = batch * seen * places * others * heads
    assert found["flops"] == pairs * (4 * width + 5)
    assert found["exponentials"] == pairs
    assert found["quadratic"] == found["matrix"] == (case.attrs["scope"] == "frame")


def test_a_softmax_has_an_exponential_an_element() -> None:
    assert cost("attention", "causal")["exponentials"] == 2 * 65 * 66 / 2  # heads, queries, keys
    assert cost("softmax", "rows")["exponentials"] == 5 * 33
    assert cost("linear", "160x321x320")["exponentials"] == 0


def test_moving_data_is_no_arithmetic() -> None:
    case = CASES["concat"][0]
    found = cost("concat", case.name)
    assert found["flops"] == 0
    assert not found["matrix"]
