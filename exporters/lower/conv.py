"""Convolutions. torch is NCHW and OIHW, the runtime NHWC and OHWI; the layout pass cancels the permutes between
them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..ir import Value
from .context import Context, constant
from .registry import UnsupportedError, lowers
from .views import to_nchw, to_nhwc

aten = torch.ops.aten


@lowers(aten.conv2d.default)
def _conv2d(
    ctx: Context,
    x: Value,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Sequence[int] = (1, 1),
    padding: Sequence[int] = (0, 0),
    dilation: Sequence[int] = (1, 1),
    groups: int = 1,
) -> Value:
    if len(x.shape) != 4:
        raise UnsupportedError(f"conv2d of {len(x.shape)} dimensions; give it a batch dimension")
    weight = ctx.relaid(constant(weight, "the weight of a convolution"), lambda w: w.permute(0, 2, 3, 1))
    rows, columns = padding if len(padding) == 2 else (padding[0], padding[0])
    attrs = {
        "stride": list(stride) * (2 // len(stride)),
        "padding": [rows, columns, rows, columns],
        "dilation": list(dilation) * (2 // len(dilation)),
        "groups": groups,
        "act": "none",
    }
    return to_nchw(ctx, ctx.op("conv2d", [to_nhwc(ctx, x), weight, bias, None], attrs))  # type: ignore[arg-type]
