"""Normalisation."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..ir import Value
from .context import Context, constant
from .pointwise import arithmetic
from .registry import lowers
from .views import permute, reshape

aten = torch.ops.aten


def _as_table(ctx: Context, item: Value | Tensor | None) -> Value | Tensor | None:
    """[...] -> [1, D], one entry for all rows."""
    if isinstance(item, Value):
        return reshape(ctx, item, (1, item.numel))
    return None if item is None else ctx.relaid(item, lambda table: table.reshape(1, -1))


def _row_norm(
    ctx: Context,
    name: str,
    x: Value,
    normalized_shape: Sequence[int],
    tables: Sequence[Value | Tensor | None],
    eps: float,
) -> Value:
    """Over the last dimensions, joined to one."""
    rows = reshape(ctx, x, (*x.shape[: len(x.shape) - len(normalized_shape)], math.prod(normalized_shape)))
    y = ctx.op(name, [rows, *(_as_table(ctx, item) for item in tables)], {"eps": eps, "group_rows": 1})
    return reshape(ctx, y, x.shape)


@lowers(aten.layer_norm.default)
def _layer_norm(
    ctx: Context,
    x: Value,
    normalized_shape: Sequence[int],
    weight: Value | Tensor | None = None,
    bias: Value | Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Value:
    return _row_norm(ctx, "layer_norm", x, normalized_shape, (weight, bias), float(eps))


@lowers(aten.rms_norm.default)
def _rms_norm(
    ctx: Context,
    x: Value,
    normalized_shape: Sequence[int],
    weight: Value | Tensor | None = None,
    eps: float | None = None,
) -> Value:
    eps = torch.finfo(torch.float32).eps if eps is None else eps
    return _row_norm(ctx, "rms_norm", x, normalized_shape, (weight, None), float(eps))


@lowers(aten.group_norm.default)
def _group_norm(
    ctx: Context,
    x: Value,
    groups: int,
    weight: Value | Tensor | None = None,
    bias: Value | Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Value:
    """[B, C, ...] as a picture [B, positions, 1, C]; the channels come last."""
    rank = len(x.shape)
    batch, channels, *extents = x.shape
    last = permute(ctx, x, (0, *range(2, rank), 1))
    picture = reshape(ctx, last, (batch, math.prod(extents[:-1]), extents[-1] if extents else 1, channels))
    attrs = {"groups": groups, "eps": float(eps), "act": "none"}
    y = ctx.op("group_norm", [picture, weight, bias], attrs)  # type: ignore[arg-type]
    return permute(ctx, reshape(ctx, y, (batch, *extents, channels)), (0, rank - 1, *range(1, rank - 1)))


@lowers(aten._native_batch_norm_legit_no_training.default)
def _batch_norm(
    ctx: Context,
    x: Value,
    weight: Tensor | None,
    bias: Tensor | None,
    mean: Tensor,
    variance: Tensor,
    momentum: float,
    eps: float,
) -> tuple[Value, None, None]:
    """In evaluation a factor and an offset a channel, which a pass folds into the convolution before."""
    factor = torch.rsqrt(constant(variance, "the variance of a batch norm") + eps)
    factor = factor if weight is None else factor * constant(weight, "the weight of a batch norm")
    offset = -constant(mean, "the mean of a batch norm") * factor
    offset = offset if bias is None else offset + constant(bias, "the bias of a batch norm")
    shape = (-1, *[1] * (len(x.shape) - 2))
    ctx.meta = ctx.meta[0]  # the statistics are those given, and nobody reads them
    y = arithmetic(ctx, "add", arithmetic(ctx, "mul", x, factor.reshape(shape)), offset.reshape(shape))
    return y, None, None
