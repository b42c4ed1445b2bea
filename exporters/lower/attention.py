"""Scaled dot-product attention. torch has heads before tokens, the runtime tokens before heads."""

import math

import torch
from torch import Tensor

from ..ir import Value
from .context import Context
from .registry import UnsupportedError, lowers
from .views import permute, reshape

aten = torch.ops.aten


def _swap(ctx: Context, x: Value) -> Value:
    """[..., H, L, D] <-> [..., L, H, D]."""
    n = len(x.shape)
    return permute(ctx, x, (*range(n - 3), n - 2, n - 3, n - 1))


def _additive(mask: Value | Tensor | None) -> Value | Tensor | None:
    """True means "attend": added to the logits that is 0, and minus infinity elsewhere."""
    if isinstance(mask, Tensor) and mask.dtype == torch.bool:
        return torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)
    if isinstance(mask, Value) and mask.dtype == "bool":
        raise UnsupportedError("a boolean mask computed at run time; make it additive (0 and a large negative number)")
    return mask


@lowers(aten.scaled_dot_product_attention.default)
def _attention(
    ctx: Context,
    q: Value | Tensor,
    k: Value | Tensor,
    v: Value | Tensor,
    attn_mask: Value | Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Value:
    if dropout_p:
        raise UnsupportedError("dropout; export the module in eval mode")
    q, k, v = map(ctx.value, (q, k, v))
    if is_causal and q.shape[-2] != k.shape[-2]:
        raise UnsupportedError("is_causal with unequal numbers of queries and keys; give a mask")
    if q.shape[:-2] != k.shape[:-2] or k.shape != v.shape:
        raise UnsupportedError(f"q {q.shape}, k {k.shape}, v {v.shape}: heads and widths must be equal")
    shape = tuple(ctx.meta.shape)
    headless = len(shape) == 2
    if headless:
        q, k, v = (reshape(ctx, x, (1, *x.shape)) for x in (q, k, v))
    attrs = {"scale": 1 / math.sqrt(q.shape[-1]) if scale is None else float(scale), "causal": int(is_causal)}
    inputs = [_swap(ctx, q), _swap(ctx, k), _swap(ctx, v), _additive(attn_mask)]
    y = _swap(ctx, ctx.op("attention", inputs, attrs))  # type: ignore[arg-type]
    return reshape(ctx, y, shape)
