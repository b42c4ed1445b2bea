"""The references against PyTorch in float64, over the very cases the kernels are tested with."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.kernels.cases import CASES
from tests.support.op_case import Case, expected

torch = pytest.importorskip("torch")
F = torch.nn.functional

ACTS: dict[str, Callable[[Any], Any]] = {
    "none": lambda x: x,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "relu": F.relu,
}


def operands(case: Case) -> list[Any]:
    seen = [case.operand(i) for i in range(len(case.operands))]
    return [None if x is None else torch.from_numpy(np.array(x.seen())).double() for x in seen]


def conv2d(case: Case) -> Any:
    x, weight, bias, residual = operands(case)
    top, left, bottom, right = case.attrs["padding"]
    x = F.pad(x.permute(0, 3, 1, 2), (left, right, top, bottom))
    stride, dilation, groups = (case.attrs[name] for name in ("stride", "dilation", "groups"))
    y = F.conv2d(x, weight.permute(0, 3, 1, 2), bias, stride, 0, dilation, groups).permute(0, 2, 3, 1)
    y = ACTS[case.attrs["act"]](y)
    return y if residual is None else y + residual


def group_norm(case: Case) -> Any:
    x, scale, shift = operands(case)
    y = F.group_norm(x.permute(0, 3, 1, 2), case.attrs["groups"], scale, shift, case.attrs["eps"])
    return ACTS[case.attrs["act"]](y.permute(0, 2, 3, 1))


def layer_norm(case: Case) -> Any:
    x, scale, shift = operands(case)
    y = F.layer_norm(x, x.shape[-1:], eps=case.attrs["eps"]).reshape(-1, x.shape[-1])
    group = torch.arange(len(y)) // case.attrs["group_rows"]
    y = y if scale is None else y * scale[group % len(scale)]
    y = y if shift is None else y + shift[group % len(shift)]
    return y.reshape(x.shape)


def rms_norm(case: Case) -> Any:
    x, scale, shift = operands(case)
    y = F.rms_norm(x, x.shape[-1:], eps=case.attrs["eps"]).reshape(-1, x.shape[-1])
    group = torch.arange(len(y)) // case.attrs["group_rows"]
    y = y if scale is None else y * scale[group % len(scale)]
    y = y if shift is None else y + shift[group % len(shift)]
    return y.reshape(x.shape)


def softmax(case: Case) -> Any:
    return torch.softmax(operands(case)[0], -1)


def attention(case: Case) -> Any:
    q, k, v, mask = operands(case)
    if case.attrs["causal"]:
        queries, keys = q.shape[-3], k.shape[-3]
        causal = torch.full((queries, keys), -torch.inf).triu(keys - queries + 1).double()
        mask = causal if mask is None else mask + causal
    by_head = [x.transpose(-3, -2) for x in (q, k, v)]
    return F.scaled_dot_product_attention(
        *by_head, attn_mask=mask if mask is None else torch.atleast_2d(mask), scale=case.attrs["scale"]
    ).transpose(-3, -2)


TORCH = {f.__name__: f for f in (conv2d, group_norm, layer_norm, rms_norm, softmax, attention)}
ALL = [case for op in TORCH for case in CASES[op] if case.name not in ("sees-nothing", "all-masked")]


@pytest.mark.parametrize("case", ALL, ids=str)
def test_reference_agrees_with_torch(case: Case) -> None:
    (reference,) = expected(case, "fp32", False)
    np.testing.assert_allclose(reference, TORCH[case.op](case).numpy(), rtol=1e-9, atol=1e-9)
