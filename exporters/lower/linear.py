"""Matrix products: `linear` where one side is a constant, `matmul` where both are computed."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..ir import Value
from ..ir.shapes import broadcast
from .context import Context
from .pointwise import arithmetic
from .registry import UnsupportedError, lowers
from .views import expand, permute, reshape

aten = torch.ops.aten
Operand = Value | Tensor


def swap_last(ctx: Context, x: Value) -> Value:
    n = len(x.shape)
    return permute(ctx, x, (*range(n - 2), n - 1, n - 2))


@lowers(aten.linear.default)
def _linear(ctx: Context, x: Operand, weight: Operand, bias: Operand | None = None) -> Value:
    if isinstance(weight, Tensor):
        return ctx.op("linear", [x, weight, bias, None, None], {"act": "none", "gate_rows": 1})
    x = ctx.value(x)
    y = ctx.op("matmul", [reshape(ctx, x, (-1, x.shape[-1])), weight], {"transpose_b": 1})
    y = reshape(ctx, y, ctx.meta.shape)
    return y if bias is None else arithmetic(ctx, "add", y, bias)


@lowers(aten.matmul.default, aten.mm.default, aten.bmm.default)
def _matmul(ctx: Context, a: Operand, b: Operand) -> Value:
    if isinstance(b, Tensor) and b.dim() == 2:
        return ctx.op("linear", [a, _transposed(ctx, b), None, None, None], {"act": "none", "gate_rows": 1})
    a, b = ctx.value(a), ctx.value(b)
    if a.dtype != "f32":
        raise UnsupportedError("a product of integer matrices")
    shape = tuple(ctx.meta.shape)
    a = reshape(ctx, a, (1, *a.shape)) if len(a.shape) == 1 else a
    b = reshape(ctx, b, (*b.shape, 1)) if len(b.shape) == 1 else b
    if len(b.shape) == 2:  # one matrix for all: the rows of a are the rows of one product
        flat = reshape(ctx, a, (math.prod(a.shape[:-1]), a.shape[-1]))
        return reshape(ctx, ctx.op("matmul", [flat, b], {"transpose_b": 0}), shape)
    lead = broadcast(a.shape[:-2], b.shape[:-2])
    a, b = expand(ctx, a, (*lead, *a.shape[-2:])), expand(ctx, b, (*lead, *b.shape[-2:]))
    return reshape(ctx, ctx.op("matmul", [a, b], {"transpose_b": 0}), shape)


def _transposed(ctx: Context, weight: Tensor) -> Tensor:
    return ctx.relaid(weight, lambda w: w.t())


@lowers(aten.addmm.default)
def _addmm(ctx: Context, bias: Operand, a: Operand, b: Operand, *, beta: float = 1, alpha: float = 1) -> Value:
    if beta != 1 or alpha != 1:
        raise UnsupportedError("addmm with factors")
    if isinstance(b, Tensor) and isinstance(bias, Tensor) and bias.dim() == 1:
        return ctx.op("linear", [a, _transposed(ctx, b), bias, None, None], {"act": "none", "gate_rows": 1})
    return arithmetic(ctx, "add", _matmul(ctx, a, b), bias)


@lowers(aten.baddbmm.default)
def _baddbmm(ctx: Context, bias: Operand, a: Operand, b: Operand, *, beta: float = 1, alpha: float = 1) -> Value:
    y = _matmul(ctx, a, b)
    y = y if alpha == 1 else arithmetic(ctx, "mul", y, float(alpha))
    if beta == 0:
        return y
    return arithmetic(ctx, "add", y, bias if beta == 1 else arithmetic(ctx, "mul", bias, float(beta)))


@lowers(aten.cumsum.default)
def _cumsum(ctx: Context, x: Value, dim: int, dtype: torch.dtype | None = None) -> Value:
    """Sums over ever longer distances, doubled each time: log2(n) additions of the shifted tensor."""
    from .pointwise import cast
    from .views import pad, slice_

    x = cast(ctx, x, ctx.meta.dtype)
    if not x.shape:
        return x
    dim %= len(x.shape)
    reach = 1
    while reach < x.shape[dim]:
        before: Sequence[int] = [reach if i == 2 * dim else 0 for i in range(2 * len(x.shape))]
        shifted = pad(ctx, slice_(ctx, x, dim, 0, x.shape[dim] - reach), before, 0.0)
        x = arithmetic(ctx, "add", x, shifted)
        reach *= 2
    return x
