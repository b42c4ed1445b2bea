"""Elements by index: rows of a table, one index a dimension, `gather`. Places are numbers of rows, computed by
`pointwise` where they are not constants; an index below zero counts from the end, as in torch."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..ir import Value
from .context import Context
from .pointwise import cast, chain
from .registry import UnsupportedError, lowers
from .views import permute, reshape

aten = torch.ops.aten
Operand = Value | Tensor


def _rows(ctx: Context, table: Value, index: Operand) -> Value:
    """table [N, D], index of any shape -> [..., D]."""
    if table.dtype == "bool":
        return cast(ctx, ctx.op("gather", [cast(ctx, table, torch.int64), index], dtype="i64"), torch.bool)
    return ctx.op("gather", [table, index], dtype=table.dtype)


def _index(ctx: Context, index: Operand, extent: int) -> Operand:
    """i64, from 0 to extent - 1."""
    if isinstance(index, Tensor):
        return torch.where(index < 0, index + extent, index).long()
    if index.dtype == "bool":
        raise UnsupportedError("a boolean mask as index: the shape of the result depends on data")
    return chain(ctx, [index], ["lt i0 0", f"add i0 {extent}", "where %0 %1 i0"], index.shape, torch.int64)


@lowers(aten.embedding.default)
def _embedding(ctx: Context, table: Operand, index: Operand, *args: int) -> Value:
    table = ctx.value(table)
    return _rows(ctx, table, cast(ctx, index, torch.int64))


@lowers(aten.index_select.default)
def _index_select(ctx: Context, x: Operand, dim: int, index: Operand) -> Value:
    x = ctx.value(x)
    indices: list[Operand | None] = [None] * len(x.shape)
    indices[dim % len(x.shape)] = index
    return _index_tensor(ctx, x, indices)


@lowers(aten.flip.default)
def _flip(ctx: Context, x: Value, dims: Sequence[int]) -> Value:
    for dim in dims:
        x = _index_select(ctx, x, dim, torch.arange(x.shape[dim]).flip(0))
    return x


@lowers(aten.index.Tensor)
def _index_tensor(ctx: Context, x: Operand, indices: Sequence[Operand | None]) -> Value:
    """x[i, :, j, ...]: the indexed dimensions are brought to the front and joined; their row is sum of index * step."""
    x = ctx.value(x)
    at = [dim for dim, index in enumerate(indices) if index is not None]
    rest = [dim for dim in range(len(x.shape)) if dim not in at]
    moved = x if at == list(range(len(at))) else permute(ctx, x, (*at, *rest))
    count = math.prod(x.shape[dim] for dim in at)
    table = reshape(ctx, moved, (count, math.prod(x.shape[dim] for dim in rest)))
    places = [_index(ctx, indices[dim], x.shape[dim]) for dim in at]  # type: ignore[arg-type]
    wide = torch.broadcast_shapes(*(tuple(place.shape) for place in places))
    y = _rows(ctx, table, _row_number(ctx, places, [x.shape[dim] for dim in at], wide))
    y = reshape(ctx, y, (*wide, *(x.shape[dim] for dim in rest)))
    together = at == list(range(at[0], at[0] + len(at)))
    if together and at[0] > 0:  # torch leaves the new dimensions where the indexed ones stood
        n = len(wide)
        y = permute(ctx, y, (*range(n, n + at[0]), *range(n), *range(n + at[0], len(y.shape))))
    return y


def _row_number(ctx: Context, places: Sequence[Operand], extents: Sequence[int], shape: Sequence[int]) -> Operand:
    if len(places) == 1:
        return places[0]
    steps = [math.prod(extents[i + 1 :]) for i in range(len(extents))]
    if all(isinstance(place, Tensor) for place in places):
        parts = [place.expand(tuple(shape)) * step for place, step in zip(places, steps, strict=True)]  # type: ignore[union-attr]
        return torch.stack(parts).sum(0)
    expr = ["mul i0 " + str(steps[0])]
    for i, step in enumerate(steps[1:], 1):
        expr += [f"mul i{i} {step}", f"add %{len(expr) - 1} %{len(expr)}"]
    return chain(ctx, places, expr, shape, torch.int64)


@lowers(aten.gather.default)
def _gather(ctx: Context, x: Operand, dim: int, index: Operand, *, sparse_grad: bool = False) -> Value:
    """y[i, j, k] = x[i, index[i, j, k], k]: the other places are constants."""
    x = ctx.value(x)
    shape = tuple(index.shape)
    places: list[Operand | None] = []
    for i, extent in enumerate(shape):
        places.append(index if i == dim % len(shape) else torch.arange(extent).reshape(-1, *[1] * (len(shape) - i - 1)))
    return _index_tensor(ctx, x, places)
