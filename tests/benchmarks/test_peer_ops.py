"""What the peers run is the same function: each op's PyTorch form against the reference, on the cases of its kernel."""

import numpy as np
import pytest
import torch

from benchmarks.peers.ops import OPS, ring_attention, window_mask
from benchmarks.peers.pointwise import pointwise
from tests.kernels.cases import CASES
from tests.reference.ops import REFERENCE
from tests.support.op_case import Case, expected

CASES_OF_PEERS = [case for op in OPS for case in CASES[op]]


def tensors(case: Case) -> list[torch.Tensor | None]:
    operands = (case.operand(i) for i in range(len(case.operands)))
    arrays = [None if operand is None else np.array(operand.seen()) for operand in operands]
    found = [None if array is None else torch.from_numpy(array) for array in arrays]
    found = [x.double() if x is not None and x.dtype == torch.float32 else x for x in found]
    if case.op == "conv2d":  # the weight, as ProgramModule loads it
        found[1] = found[1].permute(0, 3, 1, 2)
    return found


@pytest.mark.parametrize("case", CASES_OF_PEERS, ids=str)
def test_matches_reference(case: Case) -> None:
    result = OPS[case.op](tensors(case), case.attrs)
    reference = expected(case, "fp32", False)[0]
    assert tuple(result.shape) == reference.shape
    finite = np.isfinite(reference)
    np.testing.assert_allclose(result.numpy()[finite], reference[finite], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scope", ["position", "frame"])
@pytest.mark.parametrize("with_bias", [True, False])
def test_ring_attention_with_a_full_ring(scope: str, with_bias: bool) -> None:
    rng = np.random.default_rng(0)
    history, window, slots = 5, 3, 6
    q, k, v = (rng.standard_normal((2, window, 4, 2, 8)) for _ in range(3))
    rings = [rng.standard_normal((2, slots, 4, 2, 8)) for _ in range(2)]
    bias = rng.standard_normal((2, history + window)) if with_bias else None
    frame, first = np.array([history, history]), np.array([0, 0])  # the slots lie in order of time
    attrs = {"commit": 1, "history": history, "scope": scope, "scale": 0.3}
    reference, *_ = REFERENCE["ring_attention"]([q, k, v, *rings, frame, first, bias], attrs, q.shape, "f32")
    past = [torch.from_numpy(ring[:, :history]) for ring in rings]
    mask = window_mask(None if bias is None else torch.from_numpy(bias), window, history, heads=2).double()
    result = ring_attention(*map(torch.from_numpy, (q, k, v)), *past, mask, scope, 0.3)
    np.testing.assert_allclose(result.numpy(), reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", CASES["pointwise"], ids=str)
def test_pointwise_matches_reference(case: Case) -> None:
    reference = expected(case, "fp32", False)[0]
    operands = [x for x in tensors(case) if x is not None]
    result = pointwise(operands, case.attrs["expr"], torch.float64, case.dtype).expand(reference.shape).numpy()
    finite = np.isfinite(reference)
    if case.attrs["expr"][-1].startswith("int"):  # saturates; PyTorch's conversion leaves open what happens then
        finite &= np.abs(operands[0].numpy()) < 2.0**31
    # The reference rounds to f32 after every instruction.
    np.testing.assert_allclose(result[finite], reference[finite], rtol=1e-5, atol=1e-5)


def test_pointwise_chains() -> None:
    x, y = torch.tensor([-1.5, 2.0], dtype=torch.float64), torch.tensor([3, 4])
    expr = ["mul i0 2.0", "float i1", "sub 1.0 %0", "div %2 %1", "silu %3"]
    chain = (1 - 2 * x) / y
    torch.testing.assert_close(pointwise([x, y], expr, torch.float64, "f32"), chain * torch.sigmoid(chain))
    stored = pointwise([torch.tensor([-3.0, 7.9, 300.0])], ["mul i0 1.0"], torch.float32, "u8")
    assert stored.tolist() == [0, 7, 255]
