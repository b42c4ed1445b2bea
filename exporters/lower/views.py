"""Shapes and data movement: reshape, permute, slices, splits, cat, padding, pixel shuffle."""

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
    """One extent may be -1: whatever is left."""
    if -1 in shape:
        rest = -math.prod(shape)
        shape = [x.numel // rest if extent == -1 else extent for extent in shape]
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


def expand(ctx: Context, x: Value, shape: Sequence[int]) -> Value:
    return x if x.shape == tuple(shape) else ctx.op("expand", [x], {"shape": list(shape)}, dtype=x.dtype)


def pad(ctx: Context, x: Value, pads: Sequence[int], value: float) -> Value:
    """`pads` is (before, after) for each dimension, outermost first."""
    return ctx.op("pad", [x], {"pads": list(pads), "value": float(value)}, dtype=x.dtype) if any(pads) else x


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
    return expand(ctx, x, ctx.meta.shape)


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
    values = [ctx.value(part) for part in parts if isinstance(part, Value) or part.numel()]
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
def _pad(ctx: Context, x: Value, pads: Sequence[int], value: float = 0.0) -> Value:
    """torch lists (before, after) from the last dimension; ours from the first."""
    pairs = [(pads[i], pads[i + 1]) for i in range(0, len(pads), 2)]
    pairs = [(0, 0)] * (len(x.shape) - len(pairs)) + pairs[::-1]
    for dim, (before, after) in enumerate(pairs):  # negative padding crops
        x = slice_(ctx, x, dim, max(0, -before), x.shape[dim] - max(0, -after))
    return pad(ctx, x, [max(0, amount) for pair in pairs for amount in pair], value)


@lowers(aten.roll.default)
def _roll(ctx: Context, x: Value, shifts: Sequence[int], dims: Sequence[int] = ()) -> Value:
    if not dims:
        return reshape(ctx, _roll(ctx, reshape(ctx, x, (x.numel,)), shifts, (0,)), ctx.meta.shape)
    for shift, dim in zip(shifts, (d % len(x.shape) for d in dims), strict=True):
        extent = x.shape[dim]
        cut = -shift % extent
        if cut:
            x = concat(ctx, [slice_(ctx, x, dim, cut, extent), slice_(ctx, x, dim, 0, cut)], dim)
    return x


@lowers(aten.slice_scatter.default)
def _slice_scatter(
    ctx: Context,
    x: Value | Tensor,
    source: Value | Tensor,
    dim: int = 0,
    start: int | None = None,
    end: int | None = None,
    step: int = 1,
) -> Value:
    x, source = ctx.value(x), ctx.value(source)
    dim %= len(x.shape)
    extent = x.shape[dim]
    first, last, _ = slice(start, end, step).indices(extent)
    if step != 1:
        return _phase_scatter(ctx, x, source, dim, first, step)
    parts = [slice_(ctx, x, dim, 0, first)] if first > 0 else []
    parts += [source] if last > first else []
    parts += [slice_(ctx, x, dim, last, extent)] if last < extent else []
    return concat(ctx, parts, dim)


def _phase_scatter(ctx: Context, x: Value, source: Value, dim: int, phase: int, step: int) -> Value:
    """Every `step`-th element, from `phase` on: with the dimension split in two, one slice of the inner one."""
    extent = x.shape[dim]
    if phase >= step or extent % step or source.shape[dim] != extent // step:
        raise UnsupportedError(f"writing {source.shape[dim]} elements with a step of {step} into {extent}")
    split = reshape(ctx, x, (*x.shape[:dim], extent // step, step, *x.shape[dim + 1 :]))
    parts = [slice_(ctx, split, dim + 1, i, i + 1) for i in range(step)]
    parts[phase] = reshape(ctx, source, parts[phase].shape)
    return reshape(ctx, concat(ctx, parts, dim + 1), x.shape)


@lowers(aten.select_scatter.default)
def _select_scatter(ctx: Context, x: Value | Tensor, source: Value | Tensor, dim: int, index: int) -> Value:
    dim %= len(ctx.meta.shape)
    index %= ctx.meta.shape[dim]
    wide = [1 if i == dim else extent for i, extent in enumerate(ctx.meta.shape)]
    return _slice_scatter(ctx, x, reshape(ctx, ctx.value(source), wide), dim, index, index + 1)


@lowers(aten.unfold.default)
def _unfold(ctx: Context, x: Value, dim: int, size: int, step: int) -> Value:
    """Windows along `dim`, as a last dimension."""
    dim %= len(x.shape)
    count = (x.shape[dim] - size) // step + 1
    taps = [slice_(ctx, x, dim, tap, tap + (count - 1) * step + 1, step) for tap in range(size)]
    return concat(ctx, [reshape(ctx, tap, (*tap.shape, 1)) for tap in taps], len(x.shape))


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
