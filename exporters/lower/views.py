"""Shapes and data movement: reshape, permute, slices, splits, cat, padding, pixel shuffle, nearest upsampling."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..ir import Value
from .context import Context
from .registry import UnsupportedError, lowers

aten = torch.ops.aten


def reshape(ctx: Context, x: Value, shape: Sequence[int]) -> Value:
    return x if x.shape == tuple(shape) else ctx.op("reshape", [x], {"shape": list(shape)}, dtype=x.dtype)


def permute(ctx: Context, x: Value, dims: Sequence[int]) -> Value:
    return ctx.op("permute", [x], {"dims": [dim % len(x.shape) for dim in dims]}, dtype=x.dtype)


def slice_(ctx: Context, x: Value, dim: int, start: int, stop: int, step: int = 1) -> Value:
    if (start, stop, step) == (0, x.shape[dim], 1):
        return x
    attrs = {"dim": dim, "start": start, "stop": stop, "step": step}
    return ctx.op("slice", [x], attrs, dtype=x.dtype)  # type: ignore[arg-type]


def concat(ctx: Context, parts: Sequence[Value], dim: int) -> Value:
    return parts[0] if len(parts) == 1 else ctx.op("concat", list(parts), {"dim": dim}, dtype=parts[0].dtype)


def to_nhwc(ctx: Context, x: Value) -> Value:
    return permute(ctx, x, (0, 2, 3, 1))


def to_nchw(ctx: Context, x: Value) -> Value:
    return permute(ctx, x, (0, 3, 1, 2))


@lowers(
    aten.view.default,
    aten.reshape.default,
    aten._unsafe_view.default,
    aten.unsqueeze.default,
    aten.squeeze.dims,
    aten.squeeze.dim,
    aten.squeeze.default,
    aten.flatten.using_ints,
)
def _reshape(ctx: Context, x: Value, *args: Any) -> Value:
    return reshape(ctx, x, ctx.meta.shape)


@lowers(aten.permute.default)
def _permute(ctx: Context, x: Value, dims: Sequence[int]) -> Value:
    return permute(ctx, x, dims)


@lowers(aten.transpose.int)
def _transpose(ctx: Context, x: Value, a: int, b: int) -> Value:
    dims = list(range(len(x.shape)))
    dims[a], dims[b] = dims[b], dims[a]
    return permute(ctx, x, dims)


@lowers(aten.t.default)
def _t(ctx: Context, x: Value) -> Value:
    return permute(ctx, x, (1, 0)) if len(x.shape) == 2 else x


@lowers(aten.expand.default)
def _expand(ctx: Context, x: Value, size: Sequence[int], implicit: bool = False) -> Value:
    shape = tuple(ctx.meta.shape)
    return x if shape == x.shape else ctx.op("expand", [x], {"shape": list(shape)}, dtype=x.dtype)


@lowers(aten.repeat.default)
def _repeat(ctx: Context, x: Value, repeats: Sequence[int]) -> Value:
    inner = (1,) * (len(repeats) - len(x.shape)) + x.shape
    pairs = [(count, extent) for count, extent in zip(repeats, inner, strict=True)]
    split = reshape(ctx, x, [size for _, extent in pairs for size in (1, extent)])
    wide = ctx.op("expand", [split], {"shape": [size for pair in pairs for size in pair]}, dtype=x.dtype)
    return reshape(ctx, wide, ctx.meta.shape)


@lowers(aten.slice.Tensor)
def _slice(
    ctx: Context, x: Value, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1
) -> Value:
    dim %= len(x.shape)
    first, last, _ = slice(start, end, step).indices(x.shape[dim])
    return slice_(ctx, x, dim, first, last, step)


@lowers(aten.select.int)
def _select(ctx: Context, x: Value, dim: int, index: int) -> Value:
    dim %= len(x.shape)
    index %= x.shape[dim]
    return reshape(ctx, slice_(ctx, x, dim, index, index + 1), ctx.meta.shape)


@lowers(aten.split_with_sizes.default, aten.split.Tensor)
def _split(ctx: Context, x: Value, sizes: Sequence[int] | int, dim: int = 0) -> tuple[Value, ...]:
    dim %= len(x.shape)
    if isinstance(sizes, int):
        sizes = [min(sizes, x.shape[dim] - at) for at in range(0, x.shape[dim], sizes)]
    stops = [sum(sizes[: i + 1]) for i in range(len(sizes))]
    return tuple(slice_(ctx, x, dim, stop - size, stop) for size, stop in zip(sizes, stops, strict=True))


@lowers(aten.unbind.int)
def _unbind(ctx: Context, x: Value, dim: int = 0) -> tuple[Value, ...]:
    dim %= len(x.shape)
    rest = (*x.shape[:dim], *x.shape[dim + 1 :])
    return tuple(reshape(ctx, slice_(ctx, x, dim, i, i + 1), rest) for i in range(x.shape[dim]))


@lowers(aten.cat.default)
def _cat(ctx: Context, parts: Sequence[Value | Tensor], dim: int = 0) -> Value:
    values = [ctx.value(part) for part in parts]
    return concat(ctx, values, dim % len(values[0].shape))


@lowers(aten.stack.default)
def _stack(ctx: Context, parts: Sequence[Value | Tensor], dim: int = 0) -> Value:
    shape = list(ctx.meta.shape)
    dim %= len(shape)
    shape[dim] = 1
    return concat(ctx, [reshape(ctx, ctx.value(part), shape) for part in parts], dim)


@lowers(
    aten.clone.default, aten.alias.default, aten.detach.default, aten.contiguous.default, aten.lift_fresh_copy.default
)
def _identity(ctx: Context, x: Value, **options: Any) -> Value:
    return x


@lowers(aten._assert_tensor_metadata.default)
def _assert_metadata(ctx: Context, *args: Any, **options: Any) -> None:
    """torch checks its own types here; shapes and dtypes of a program are fixed."""


@lowers(aten.constant_pad_nd.default)
def _pad(ctx: Context, x: Value, pad: Sequence[int], value: float = 0.0) -> Value:
    """torch lists (before, after) from the last dimension; `pad` from the first."""
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)]
    pairs = [(0, 0)] * (len(x.shape) - len(pairs)) + pairs[::-1]
    for dim, (before, after) in enumerate(pairs):  # negative padding crops
        x = slice_(ctx, x, dim, max(0, -before), x.shape[dim] - max(0, -after))
    pads = [max(0, amount) for pair in pairs for amount in pair]
    return ctx.op("pad", [x], {"pads": pads, "value": float(value)}, dtype=x.dtype) if any(pads) else x


@lowers(aten.pixel_shuffle.default)
def _pixel_shuffle(ctx: Context, x: Value, factor: int) -> Value:
    *lead, channels, rows, columns = x.shape
    n = len(lead)
    split = reshape(ctx, x, (*lead, channels // factor**2, factor, factor, rows, columns))
    return reshape(ctx, permute(ctx, split, (*range(n), n, n + 3, n + 1, n + 4, n + 2)), ctx.meta.shape)


@lowers(aten.pixel_unshuffle.default)
def _pixel_unshuffle(ctx: Context, x: Value, factor: int) -> Value:
    *lead, channels, rows, columns = x.shape
    n = len(lead)
    split = reshape(ctx, x, (*lead, channels, rows // factor, factor, columns // factor, factor))
    return reshape(ctx, permute(ctx, split, (*range(n), n, n + 2, n + 4, n + 1, n + 3)), ctx.meta.shape)


@lowers(aten.upsample_nearest2d.vec, aten.upsample_nearest2d.default)
def _upsample_nearest(ctx: Context, x: Value, *args: Any) -> Value:
    batch, channels, rows, columns = x.shape
    out_rows, out_columns = ctx.meta.shape[2:]
    if out_rows % rows or out_columns % columns:
        raise UnsupportedError(f"nearest upsampling of {rows}x{columns} to {out_rows}x{out_columns} is no whole factor")
    split = reshape(ctx, x, (batch, channels, rows, 1, columns, 1))
    wide = [batch, channels, rows, out_rows // rows, columns, out_columns // columns]
    assert math.prod(wide) == math.prod(ctx.meta.shape)
    return reshape(ctx, ctx.op("expand", [split], {"shape": wide}, dtype=x.dtype), ctx.meta.shape)
