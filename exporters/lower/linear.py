"""Matrix products with constant weights."""

import torch
from torch import Tensor

from ..ir import Value
from .context import Context, constant
from .registry import lowers

aten = torch.ops.aten


@lowers(aten.linear.default)
def _linear(ctx: Context, x: Value, weight: Tensor, bias: Tensor | None = None) -> Value:
    constant(weight, "the weight of a linear")
    return ctx.op("linear", [x, weight, bias, None, None], {"act": "none", "gate_rows": 1})
