"""Rows of a table by index."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..ir import Value
from .context import Context
from .registry import UnsupportedError, lowers
from .views import reshape

aten = torch.ops.aten


def _gather(ctx: Context, table: Value | Tensor, index: Value | Tensor) -> Value:
    rows, picks = ctx.value(table), ctx.value(index)
    if rows.dtype != "f32" or picks.dtype != "i64":
        raise UnsupportedError(f"gathers {rows.dtype} by {picks.dtype}; the runtime gathers f32 by i64")
    flat = reshape(ctx, rows, (rows.shape[0], rows.numel // rows.shape[0]))
    return reshape(ctx, ctx.op("gather", [flat, picks]), ctx.meta.shape)


@lowers(aten.embedding.default)
def _embedding(ctx: Context, table: Value | Tensor, index: Value | Tensor, *args: int) -> Value:
    return _gather(ctx, table, index)


@lowers(aten.index_select.default)
def _index_select(ctx: Context, table: Value | Tensor, dim: int, index: Value | Tensor) -> Value:
    if dim % len(table.shape) != 0:
        raise UnsupportedError("index_select along another dimension than the first")
    return _gather(ctx, table, index)


@lowers(aten.index.Tensor)
def _index(ctx: Context, table: Value | Tensor, indices: Sequence[Value | Tensor | None]) -> Value:
    first = indices[0]
    if len(indices) != 1 or first is None:
        raise UnsupportedError("indexing by tensors in another dimension than the first, or in several")
    return _gather(ctx, table, first)
