"""Normalisation."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..ir import Value
from .context import Context
from .registry import UnsupportedError, lowers
from .views import reshape, to_nchw, to_nhwc

aten = torch.ops.aten


def _as_table(ctx: Context, item: Value | Tensor | None) -> Value | Tensor | None:
    """[D] -> [1, D], one entry for all rows."""
    if isinstance(item, Value):
        return reshape(ctx, item, (1, *item.shape))
    return None if item is None else ctx.relaid(item, lambda table: table[None])


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
    if len(normalized_shape) != 1:
        raise UnsupportedError(
            f"layer_norm over {len(normalized_shape)} dimensions; the runtime has it over the last one"
        )
    tables = [_as_table(ctx, item) for item in (weight, bias)]
    return ctx.op("layer_norm", [x, *tables], {"eps": float(eps), "group_rows": 1})


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
    if len(x.shape) != 4:
        raise UnsupportedError(f"group_norm of {len(x.shape)} dimensions; the runtime has it for pictures [B, C, H, W]")
    attrs = {"groups": groups, "eps": float(eps), "act": "none"}
    return to_nchw(ctx, ctx.op("group_norm", [to_nhwc(ctx, x), weight, bias], attrs))  # type: ignore[arg-type]
