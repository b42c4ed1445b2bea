"""Resampling of pictures [B, C, H, W]: each result is a pixel, or a weighted sum of pixels, whose places and weights
are constants. torch itself tells them: each of these ops is linear and separable, so along one axis it is run on row
numbers (nearest) or on unit vectors (the others). The pixels are gathered as rows of channels."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..ir import Value
from .context import Context
from .conv import channels_first, channels_last
from .pointwise import chain
from .registry import lowers
from .views import expand, reshape

aten = torch.ops.aten
_NEAREST = (aten.upsample_nearest2d, aten._upsample_nearest_exact2d)
_WEIGHTED = (
    aten.upsample_bilinear2d, aten.upsample_bicubic2d, aten._upsample_bilinear2d_aa, aten._upsample_bicubic2d_aa,
)  # fmt: skip


def _along(op: Any, args: Sequence[Any], axis: int, x: Tensor, out: int) -> Tensor:
    """`op` with its own options on [N, extent] along one axis alone: [N, out]."""
    picture = x[:, None, :, None] if axis == 0 else x[:, None, None, :]
    size = [out, 1] if axis == 0 else [1, out]
    y: Tensor
    if op._overloadname == "vec":  # (output_size or None, options..., scale_factors or None)
        factors = args[-1] and ([args[-1][0], 1.0] if axis == 0 else [1.0, args[-1][1]])
        y = op(picture, None if factors else size, *args[1:-1], factors)
    else:  # (output_size, options..., factor of rows, factor of columns)
        flags = [arg for arg in args[1:] if isinstance(arg, bool)]
        factors = args[1 + len(flags) :]
        factor = factors[axis] if axis < len(factors) else None
        y = op(picture, size, *flags, *((factor, None) if axis == 0 else (None, factor)))
    return y.reshape(len(x), out)


def _nearest(ctx: Context, x: Value, *args: Any, op: Any) -> Value:
    batch, channels, *extents = x.shape
    out = ctx.meta.shape[2:]
    places = [_along(op, args, i, torch.arange(extents[i]).float()[None], out[i])[0].long() for i in range(2)]
    factors = [out[i] // extents[i] for i in range(2)]
    if all(
        torch.equal(place, torch.arange(extent).repeat_interleave(factor))
        for place, extent, factor in zip(places, extents, factors, strict=True)
    ):
        split = reshape(ctx, channels_last(ctx, x), (batch, extents[0], 1, extents[1], 1, channels))
        wide = expand(ctx, split, (batch, extents[0], factors[0], extents[1], factors[1], channels))
        return channels_first(ctx, reshape(ctx, wide, (batch, *out, channels)))
    return channels_first(ctx, _pick(ctx, channels_last(ctx, x), places))


def _weighted(ctx: Context, x: Value, *args: Any, op: Any) -> Value:
    """Along rows, then along columns: each a sum of gathered pixels."""
    y = channels_last(ctx, x)
    for axis in range(2):
        extent, out = x.shape[2 + axis], ctx.meta.shape[2 + axis]
        matrix = _along(op, args, axis, torch.eye(extent), out)  # [extent, out]
        if extent == out and torch.equal(matrix, torch.eye(extent)):
            continue
        taps = int((matrix != 0).sum(0).max())
        places = matrix.abs().topk(taps, 0).indices  # [taps, out]
        factors = torch.gather(matrix, 0, places).unsqueeze(-1)  # over the channels
        same = torch.arange(y.shape[2 - axis])
        parts = [_pick(ctx, y, (row, same) if axis == 0 else (same, row)) for row in places]
        y = _sum(ctx, parts, [row[:, None] if axis == 0 else row for row in factors])
    return channels_first(ctx, y)


def _pick(ctx: Context, x: Value, places: Sequence[Tensor]) -> Value:
    """Pixels at every (row, column) of the two lists; x [B, H, W, C]."""
    batch, height, width, channels = x.shape
    picture = torch.arange(batch)[:, None, None] * (height * width)
    index = picture + places[0][:, None] * width + places[1][None]
    table = reshape(ctx, x, (batch * height * width, channels))
    return ctx.op("gather", [table, index.contiguous()], dtype=x.dtype)


def _sum(ctx: Context, parts: list[Value], factors: list[Tensor]) -> Value:
    total = chain(ctx, [parts[0], factors[0]], ["mul i0 i1"], parts[0].shape)
    for part, factor in zip(parts[1:], factors[1:], strict=True):
        total = chain(ctx, [part, factor, total], ["mul i0 i1", "add i2 %0"], part.shape)
    return total


def _register() -> None:
    for packets, handler in ((_NEAREST, _nearest), (_WEIGHTED, _weighted)):
        for packet in packets:
            for op in (packet.vec, packet.default):
                lowers(op)(lambda ctx, x, *args, op=op, handler=handler: handler(ctx, x, *args, op=op))


_register()
