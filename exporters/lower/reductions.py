"""Reductions over one or more dimensions: sums, means, extremes, and what is made of them."""

from collections.abc import Sequence

import torch

from ..ir import Value
from .context import Context
from .pointwise import cast, chain
from .registry import UnsupportedError, lowers
from .views import permute, reshape

aten = torch.ops.aten


def reduce(ctx: Context, x: Value, kind: str, dims: Sequence[int] | None, keep: bool) -> Value:
    """x over `dims` (None or none: all): they are brought together, joined, and reduced as one. Narrow integers and
    truth values are reduced as i64."""
    if x.dtype not in ("f32", "i64"):
        return cast(ctx, reduce(ctx, cast(ctx, x, torch.int64), kind, dims, keep), x.dtype)
    rank = len(x.shape)
    reduced = sorted({dim % rank for dim in dims}) if dims else list(range(rank))
    shape = [1 if i in reduced else extent for i, extent in enumerate(x.shape)]
    if rank:
        first = reduced[0]
        rest = [i for i in range(rank) if i not in reduced]
        order = [*rest[:first], *reduced, *rest[first:]]
        y = permute(ctx, x, order) if order != list(range(rank)) else x
        joined = [*(x.shape[i] for i in rest[:first]), -1, *(x.shape[i] for i in rest[first:])]
        y = ctx.op("reduce", [reshape(ctx, y, joined)], {"kind": kind, "dim": first}, dtype=x.dtype)
    else:
        y = x
    return reshape(ctx, y, shape if keep else [shape[i] for i in range(rank) if i not in reduced])


@lowers(aten.mean.dim, aten.mean.default)
def _mean(
    ctx: Context, x: Value, dim: Sequence[int] | None = None, keepdim: bool = False, *, dtype: torch.dtype | None = None
) -> Value:
    return reduce(ctx, cast(ctx, x, torch.float32), "mean", dim, keepdim)


@lowers(aten.sum.dim_IntList, aten.sum.default)
def _sum(
    ctx: Context, x: Value, dim: Sequence[int] | None = None, keepdim: bool = False, *, dtype: torch.dtype | None = None
) -> Value:
    return reduce(ctx, cast(ctx, x, ctx.meta.dtype), "sum", dim, keepdim)


@lowers(aten.amax.default, aten.max.default)
def _amax(ctx: Context, x: Value, dim: Sequence[int] = (), keepdim: bool = False) -> Value:
    return reduce(ctx, x, "max", dim, keepdim)


@lowers(aten.amin.default, aten.min.default)
def _amin(ctx: Context, x: Value, dim: Sequence[int] = (), keepdim: bool = False) -> Value:
    return reduce(ctx, x, "min", dim, keepdim)


def _place(ctx: Context, x: Value, kind: str, dim: int | None, keep: bool) -> Value:
    """Index of the first largest (or smallest): the smallest index among the elements that equal the extreme."""
    if dim is None:
        x, dim = reshape(ctx, x, (x.numel,)), 0
    dim %= len(x.shape)
    extent = x.shape[dim]
    best = reduce(ctx, x, kind, [dim], True)
    index = torch.arange(extent).reshape([-1 if i == dim else 1 for i in range(len(x.shape))])
    which = chain(ctx, [x, best, index], ["eq i0 i1", f"where %0 i2 {extent}"], x.shape, torch.int64)
    return reduce(ctx, which, "min", [dim], keep)


@lowers(aten.argmax.default)
def _argmax(ctx: Context, x: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    return _place(ctx, x, "max", dim, keepdim)


@lowers(aten.argmin.default)
def _argmin(ctx: Context, x: Value, dim: int | None = None, keepdim: bool = False) -> Value:
    return _place(ctx, x, "min", dim, keepdim)


@lowers(aten.max.dim)
def _max_dim(ctx: Context, x: Value, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    return reduce(ctx, x, "max", [dim], keepdim), _place(ctx, x, "max", dim, keepdim)


@lowers(aten.min.dim)
def _min_dim(ctx: Context, x: Value, dim: int, keepdim: bool = False) -> tuple[Value, Value]:
    return reduce(ctx, x, "min", [dim], keepdim), _place(ctx, x, "min", dim, keepdim)


def _truth(ctx: Context, x: Value, kind: str, dim: Sequence[int] | int | None, keep: bool) -> Value:
    dims = [dim] if isinstance(dim, int) else dim
    return reduce(ctx, cast(ctx, x, torch.bool), kind, dims, keep)


@lowers(aten.any.default, aten.any.dim, aten.any.dims)
def _any(ctx: Context, x: Value, dim: Sequence[int] | int | None = None, keepdim: bool = False) -> Value:
    return _truth(ctx, x, "max", dim, keepdim)


@lowers(aten.all.default, aten.all.dim, aten.all.dims)
def _all(ctx: Context, x: Value, dim: Sequence[int] | int | None = None, keepdim: bool = False) -> Value:
    return _truth(ctx, x, "min", dim, keepdim)


@lowers(aten.var.correction)
def _var(
    ctx: Context, x: Value, dim: Sequence[int] | None = None, *, correction: float | None = None, keepdim: bool = False
) -> Value:
    rank = len(x.shape)
    dims = [d % rank for d in dim] if dim else list(range(rank))
    count = 1
    for d in dims:
        count *= x.shape[d]
    mean = reduce(ctx, x, "mean", dims, True)
    squares = chain(ctx, [x, mean], ["sub i0 i1", "mul %0 %0"], x.shape, torch.float32)
    sums = reduce(ctx, squares, "sum", dims, keepdim)
    return chain(ctx, [sums], [f"div i0 {float(count - (1 if correction is None else correction))!r}"], sums.shape)


@lowers(aten.linalg_vector_norm.default)
def _vector_norm(
    ctx: Context,
    x: Value,
    ord: float = 2,
    dim: Sequence[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Value:
    if ord == 2:
        sums = reduce(ctx, chain(ctx, [x], ["mul i0 i0"], x.shape), "sum", dim, keepdim)
        return chain(ctx, [sums], ["sqrt i0"], sums.shape)
    size = chain(ctx, [x], ["abs i0"], x.shape)
    if ord in (1, float("inf"), float("-inf")):
        return reduce(ctx, size, {1: "sum", float("inf"): "max"}.get(ord, "min"), dim, keepdim)
    raise UnsupportedError(f"a norm of order {ord}; 1, 2 and infinity are supported")


def _last(ctx: Context, x: Value, dim: int) -> tuple[Value, list[int]]:
    """x with `dim` last, and the order that undoes it."""
    rank = len(x.shape)
    order = [i for i in range(rank) if i != dim % rank] + [dim % rank]
    moved = x if order == list(range(rank)) else permute(ctx, x, order)
    return moved, [order.index(i) for i in range(rank)]


@lowers(aten._softmax.default)
def _softmax(ctx: Context, x: Value, dim: int, half_to_float: bool = False) -> Value:
    moved, back = _last(ctx, x, dim)
    y = ctx.op("softmax", [moved])
    return y if moved is x else permute(ctx, y, back)


@lowers(aten._log_softmax.default)
def _log_softmax(ctx: Context, x: Value, dim: int, half_to_float: bool = False) -> Value:
    high = reduce(ctx, x, "max", [dim], True)
    away = chain(ctx, [x, high], ["sub i0 i1"], x.shape)
    sums = reduce(ctx, chain(ctx, [away], ["exp i0"], x.shape), "sum", [dim], True)
    return chain(ctx, [away, sums], ["log i1", "sub i0 %0"], x.shape)
