"""Convolutions of one, two and three dimensions, and transposed ones, as `conv2d`. torch has channels before positions,
the runtime after them; the layout passes cancel the permutes between them.

One dimension is a picture of one row. In three dimensions, what a kernel of kt frames sees at a frame is a picture
whose channels are those of kt frames: a 2-D convolution of it is the 3-D one."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..ir import Value
from .context import Context, constant
from .registry import UnsupportedError, lowers
from .views import concat, pad, permute, reshape, slice_

aten = torch.ops.aten
Ints = Sequence[int]


def _spread(values: Ints, count: int) -> list[int]:
    return list(values) * count if len(values) == 1 else list(values)


@lowers(aten.convolution.default)
def _convolution(
    ctx: Context,
    x: Value,
    weight: Tensor,
    bias: Tensor | None,
    stride: Ints,
    padding: Ints,
    dilation: Ints,
    transposed: bool,
    output_padding: Ints,
    groups: int,
) -> Value:
    weight = constant(weight, "the weight of a convolution")
    n = weight.dim() - 2
    stride, padding, dilation = (_spread(item, n) for item in (stride, padding, dilation))
    batched = len(x.shape) == n + 2
    y = channels_last(ctx, x if batched else reshape(ctx, x, (1, *x.shape)))
    if transposed:
        y = _zeros_between(ctx, y, stride)
        weight = ctx.relaid(weight, lambda w: _mirrored(w, groups))
        reach = [dilation[i] * (weight.shape[2 + i] - 1) for i in range(n)]
        after = [reach[i] - padding[i] + _spread(output_padding, n)[i] for i in range(n)]
        before = [reach[i] - padding[i] for i in range(n)]
        stride = [1] * n
    else:
        before = after = list(padding)
    y = _forward(ctx, y, weight, bias, stride, list(zip(before, after, strict=True)), dilation, groups)
    return reshape(ctx, channels_first(ctx, y), ctx.meta.shape)


@lowers(aten.conv1d.default, aten.conv2d.default, aten.conv3d.default)
def _conv(
    ctx: Context,
    x: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Ints = (1,),
    padding: Ints = (0,),
    dilation: Ints = (1,),
    groups: int = 1,
) -> Value:
    return _convolution(ctx, x, weight, bias, stride, padding, dilation, False, (0,), groups)


def channels_last(ctx: Context, x: Value) -> Value:
    return permute(ctx, x, (0, *range(2, len(x.shape)), 1))


def channels_first(ctx: Context, x: Value) -> Value:
    n = len(x.shape)
    return permute(ctx, x, (0, n - 1, *range(1, n - 1)))


def _forward(
    ctx: Context,
    x: Value,
    weight: Tensor,
    bias: Tensor | None,
    stride: Ints,
    padding: Sequence[tuple[int, int]],
    dilation: Ints,
    groups: int,
) -> Value:
    """x [B, ..., I], weight [O, I / groups, ...] -> [B, ..., O]."""
    batch, *extents, channels = x.shape
    n = len(extents)
    if n == 1:
        picture = reshape(ctx, x, (batch, 1, *extents, channels))
        flat = ctx.relaid(weight, lambda w: w[:, :, None])
        y = _conv2d(ctx, picture, flat, bias, (1, *stride), ((0, 0), *padding), (1, *dilation), groups)
        return reshape(ctx, y, (batch, y.shape[2], y.shape[3]))
    if n == 2:
        return _conv2d(ctx, x, weight, bias, stride, padding, dilation, groups)
    if n != 3:
        raise UnsupportedError(f"a convolution over {n} dimensions")
    x = pad(ctx, x, [0, 0, *padding[0], *[0] * 6], 0.0)
    stacked, frames = _neighbours(ctx, x, weight.shape[2], stride[0], dilation[0], groups)
    flat = ctx.relaid(weight, lambda w: w.permute(0, 2, 1, 3, 4).flatten(1, 2))
    y = _conv2d(ctx, stacked, flat, bias, stride[1:], padding[1:], dilation[1:], groups)
    return reshape(ctx, y, (batch, frames, *y.shape[1:]))


def _neighbours(ctx: Context, x: Value, taps: int, stride: int, dilation: int, groups: int) -> tuple[Value, int]:
    """[B, T, H, W, I] -> [B T', H, W, taps I], frame by frame with those that its kernel sees; and T'. The channels are
    in the order of the weight: group, tap, channel of the group."""
    batch, length, rows, columns, channels = x.shape
    frames = (length - dilation * (taps - 1) - 1) // stride + 1
    split = reshape(ctx, x, (batch, length, rows, columns, groups, channels // groups))
    starts = [tap * dilation for tap in range(taps)]
    parts = [slice_(ctx, split, 1, start, start + (frames - 1) * stride + 1, stride) for start in starts]
    return reshape(ctx, concat(ctx, parts, 5), (batch * frames, rows, columns, taps * channels)), frames


def _conv2d(
    ctx: Context,
    x: Value,
    weight: Tensor,
    bias: Tensor | None,
    stride: Ints,
    padding: Sequence[tuple[int, int]],
    dilation: Ints,
    groups: int,
) -> Value:
    """The runtime takes a border below the reach of the kernel; what goes beyond, or crops, is a step of its own."""
    reach = [dilation[i] * (weight.shape[2 + i] - 1) for i in range(2)]
    inside = [tuple(min(max(amount, 0), reach[i]) for amount in padding[i]) for i in range(2)]
    extra = [(padding[i][0] - inside[i][0], padding[i][1] - inside[i][1]) for i in range(2)]
    for i in range(2):
        before, after = (max(0, -amount) for amount in extra[i])
        x = slice_(ctx, x, 1 + i, before, x.shape[1 + i] - after)
    x = pad(ctx, x, [0, 0, *(max(0, amount) for pair in extra for amount in pair), 0, 0], 0.0)
    attrs = {
        "stride": list(stride),
        "padding": [inside[0][0], inside[1][0], inside[0][1], inside[1][1]],
        "dilation": list(dilation),
        "groups": groups,
        "act": "none",
    }
    laid = ctx.relaid(weight, lambda w: w.permute(0, 2, 3, 1))
    return ctx.op("conv2d", [x, laid, bias, None], attrs)  # type: ignore[arg-type]


def _zeros_between(ctx: Context, x: Value, stride: Ints) -> Value:
    """stride - 1 zeros after each position but the last: [B, ..., C]."""
    if all(step == 1 for step in stride):
        return x
    batch, *extents, channels = x.shape
    split = [size for extent in extents for size in (extent, 1)]
    pads = [0, 0, *(amount for step in stride for amount in (0, 0, 0, step - 1)), 0, 0]
    wide = pad(ctx, reshape(ctx, x, (batch, *split, channels)), pads, 0.0)
    x = reshape(ctx, wide, (batch, *(extent * step for extent, step in zip(extents, stride, strict=True)), channels))
    for i, step in enumerate(stride):
        x = slice_(ctx, x, 1 + i, 0, x.shape[1 + i] - (step - 1))
    return x


def _mirrored(weight: Tensor, groups: int) -> Tensor:
    """[I, O / groups, ...] of a transposed convolution -> [O, I / groups, ...], its taps in reverse."""
    inputs, outputs, *taps = weight.shape
    split = weight.reshape(groups, inputs // groups, outputs, *taps).transpose(1, 2)
    return split.reshape(groups * outputs, inputs // groups, *taps).flip(tuple(range(2, 2 + len(taps))))


def pooled(ctx: Context, x: Value, kernel: Ints, stride: Ints, padding: Sequence[tuple[int, int]]) -> Value:
    """The mean over each window of a picture [B, C, H, W], the border counted: a convolution of each channel."""
    channels = x.shape[1]
    weight = torch.full((channels, 1, *kernel), 1 / math.prod(kernel))
    y = _forward(ctx, channels_last(ctx, x), weight, None, stride, padding, (1, 1), channels)
    return channels_first(ctx, y)
