"""Scaled dot-product attention. torch has heads before tokens, the runtime tokens before heads."""

import math

import torch
from torch import Tensor

from ..ir import Value
from ..ir.shapes import broadcast
from .context import Context
from .pointwise import chain
from .registry import UnsupportedError, lowers
from .views import expand, pad, permute, reshape, slice_

aten = torch.ops.aten


def _swap(ctx: Context, x: Value) -> Value:
    """[..., H, L, D] <-> [..., L, H, D]."""
    n = len(x.shape)
    return permute(ctx, x, (*range(n - 3), n - 2, n - 3, n - 1))


def _additive(ctx: Context, mask: Value | Tensor | None) -> Value | Tensor | None:
    """True means "attend": added to the logits that is 0, and minus infinity elsewhere."""
    if isinstance(mask, Tensor) and mask.dtype == torch.bool:
        return torch.zeros(mask.shape).masked_fill(~mask, -torch.inf)
    if isinstance(mask, Value) and mask.dtype == "bool":
        return chain(ctx, [mask], ["where i0 0.0 -inf"], mask.shape)
    return mask


def _repeat_heads(ctx: Context, x: Value, heads: int) -> Value:
    """[..., H, S, D] -> [..., heads, S, D], each head for its group of queries."""
    *lead, own, length, width = x.shape
    split = reshape(ctx, x, (*lead, own, 1, length, width))
    wide = expand(ctx, split, (*lead, own, heads // own, length, width))
    return reshape(ctx, wide, (*lead, heads, length, width))


def _widened(ctx: Context, x: Value, width: int) -> Value:
    return pad(ctx, x, [*[0] * (2 * len(x.shape) - 1), width - x.shape[-1]], 0.0)


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
    shape = tuple(ctx.meta.shape)
    if enable_gqa:
        k, v = (_repeat_heads(ctx, x, q.shape[-3]) for x in (k, v))
    lead = broadcast(q.shape[:-2], k.shape[:-2])
    q, k, v = (expand(ctx, x, (*lead, *x.shape[-2:])) for x in (q, k, v))
    width, narrow = q.shape[-1], v.shape[-1]
    scale = 1 / math.sqrt(width) if scale is None else float(scale)
    if width != narrow:  # zeros change neither the logits nor the sums
        wide = max(width, narrow)
        q, k, v = (_widened(ctx, x, wide) for x in (q, k, v))
    headless = len(shape) == 2
    if headless:
        q, k, v = (reshape(ctx, x, (1, *x.shape)) for x in (q, k, v))
    attrs = {"scale": scale, "causal": int(is_causal)}
    inputs = [_swap(ctx, q), _swap(ctx, k), _swap(ctx, v), _additive(ctx, attn_mask)]
    y = _swap(ctx, ctx.op("attention", inputs, attrs))  # type: ignore[arg-type]
    return reshape(ctx, slice_(ctx, y, len(y.shape) - 1, 0, narrow), shape)
