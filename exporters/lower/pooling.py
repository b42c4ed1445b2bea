"""Pooling over pictures [B, C, H, W]."""

from collections.abc import Sequence

import torch

from ..ir import Value
from .context import Context
from .conv import pooled
from .pointwise import chain
from .reductions import reduce
from .registry import UnsupportedError, lowers
from .views import pad, reshape, slice_

aten = torch.ops.aten
Ints = Sequence[int]


def _pair(values: Ints) -> tuple[int, int]:
    return (values[0], values[0]) if len(values) == 1 else (values[0], values[1])


def _beyond(ctx: Context, x: Value, kernel: Ints, stride: Ints, padding: Ints) -> list[tuple[int, int]]:
    """(before, after) of each axis: after it as much as the last window reaches, which ceil_mode lets stand out."""
    out = ctx.meta.shape[-2:]
    reach = [(out[i] - 1) * stride[i] + kernel[i] - x.shape[2 + i] - padding[i] for i in range(2)]
    return [(padding[i], reach[i]) for i in range(2)]


@lowers(aten.avg_pool2d.default)
def _avg_pool(
    ctx: Context,
    x: Value,
    kernel_size: Ints,
    stride: Ints = (),
    padding: Ints = (0,),
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Value:
    kernel, around = _pair(kernel_size), _pair(padding)
    step = _pair(stride) if stride else kernel
    border = _beyond(ctx, x, kernel, step, around)
    covers = all(size >= extent for size, extent in zip(kernel, x.shape[2:], strict=True))
    if tuple(ctx.meta.shape[2:]) == (1, 1) and covers and not any(around):
        return reduce(ctx, x, "mean", (2, 3), True)  # windows over the edge count what is inside
    counted = count_include_pad or not any(around)
    if divisor_override or not counted or any(after > around[i] for i, (_, after) in enumerate(border)):
        raise UnsupportedError("average pooling that does not divide by the size of its window")
    return pooled(ctx, x, kernel, step, border)


@lowers(aten.adaptive_avg_pool2d.default, aten._adaptive_avg_pool2d.default)
def _adaptive_avg_pool(ctx: Context, x: Value, output_size: Ints) -> Value:
    rows, columns = ctx.meta.shape[-2:]
    *lead, height, width = x.shape
    if height % rows or width % columns:
        raise UnsupportedError(f"adaptive pooling of {height}x{width} to {rows}x{columns} is no whole factor")
    split = reshape(ctx, x, (*lead, rows, height // rows, columns, width // columns))
    n = len(lead)
    return reduce(ctx, split, "mean", (n + 1, n + 3), False)


@lowers(aten.max_pool2d.default, aten.max_pool2d_with_indices.default)
def _max_pool(
    ctx: Context,
    x: Value,
    kernel_size: Ints,
    stride: Ints = (),
    padding: Ints = (0,),
    dilation: Ints = (1,),
    ceil_mode: bool = False,
) -> Value | tuple[Value, None]:
    """The larger of shifted pictures, along one axis and then the other. The indices are nobody's."""
    several = isinstance(ctx.meta, tuple | list)
    ctx.meta = ctx.meta[0] if several else ctx.meta
    kernel, around, spread = _pair(kernel_size), _pair(padding), _pair(dilation)
    step = _pair(stride) if stride else kernel
    border = _beyond(ctx, x, [(k - 1) * d + 1 for k, d in zip(kernel, spread, strict=True)], step, around)
    out = ctx.meta.shape[-2:]
    for i, dim in enumerate((len(x.shape) - 2, len(x.shape) - 1)):
        pads = [0] * 2 * dim + [around[i], max(0, border[i][1])] + [0] * 2 * (len(x.shape) - dim - 1)
        x = pad(ctx, x, pads, torch.finfo(torch.float32).min)
        stop = (out[i] - 1) * step[i] + 1
        windows = [slice_(ctx, x, dim, tap * spread[i], tap * spread[i] + stop, step[i]) for tap in range(kernel[i])]
        x = _largest(ctx, windows)
    return (x, None) if several else x


def _largest(ctx: Context, values: list[Value]) -> Value:
    while len(values) > 1:
        some, values = values[:16], values[16:]
        steps = [f"max {'i0' if n == 1 else f'%{n - 2}'} i{n}" for n in range(1, len(some))]
        values.append(chain(ctx, some, steps, some[0].shape) if steps else some[0])
    return values[0]
