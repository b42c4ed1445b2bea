"""The ops of a package (csrc/core/ops.def) in PyTorch, as its users would write them.

Legend: B batch, W window, N keys, P positions, H heads, D head width.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from .pointwise import activate

Attrs = Mapping[str, Any]
Inputs = Sequence[Tensor | None]


def _reshape(x: Inputs, a: Attrs) -> Tensor:
    return x[0].reshape(a["shape"])  # type: ignore[union-attr]


def _permute(x: Inputs, a: Attrs) -> Tensor:
    return x[0].permute(a["dims"])  # type: ignore[union-attr]


def _slice(x: Inputs, a: Attrs) -> Tensor:
    where = [slice(None)] * a["dim"] + [slice(a["start"], a["stop"], a["step"])]
    return x[0][tuple(where)]  # type: ignore[index]


def _expand(x: Inputs, a: Attrs) -> Tensor:
    return x[0].expand(a["shape"])  # type: ignore[union-attr]


def _copy(x: Inputs, a: Attrs) -> Tensor:
    return x[0].contiguous()  # type: ignore[union-attr]


def _concat(x: Inputs, a: Attrs) -> Tensor:
    return torch.cat([part for part in x if part is not None], a["dim"])


def _pad(x: Inputs, a: Attrs) -> Tensor:
    pairs = [a["pads"][i : i + 2] for i in range(0, len(a["pads"]), 2)]
    return F.pad(x[0], [n for pair in reversed(pairs) for n in pair], value=a["value"])  # type: ignore[arg-type]


def _gather(x: Inputs, a: Attrs) -> Tensor:
    table, index = x
    return F.embedding(index.clamp(0, len(table) - 1), table)  # type: ignore[union-attr, arg-type]


def _by_group(y: Tensor, table: Tensor, group_rows: int, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """`function(row, table entry)` where row r of y `[..., D]` takes entry (r / group_rows) % G of `table` [G, D]."""
    if len(table) == 1:
        return function(y, table[0])
    rows = y.numel() // y.shape[-1]
    if rows % (len(table) * group_rows) == 0:  # what models have
        grouped = y.reshape(-1, len(table), group_rows, y.shape[-1])
        return function(grouped, table[:, None]).reshape(y.shape)
    entries = torch.arange(rows) // group_rows % len(table)
    return function(y, table[entries].reshape(y.shape))


def _layer_norm(x: Inputs, a: Attrs) -> Tensor:
    y, scale, shift = x
    width = (y.shape[-1],)  # type: ignore[union-attr]
    if all(table is None or len(table) == 1 for table in (scale, shift)):
        one = [None if table is None else table[0] for table in (scale, shift)]
        return F.layer_norm(y, width, one[0], one[1], a["eps"])  # type: ignore[arg-type]
    normed = F.layer_norm(y, width, None, None, a["eps"])  # type: ignore[arg-type]
    if scale is not None:
        normed = _by_group(normed, scale, a["group_rows"], torch.mul)
    return normed if shift is None else _by_group(normed, shift, a["group_rows"], torch.add)


def _group_norm(x: Inputs, a: Attrs) -> Tensor:
    y, scale, shift = x
    normed = F.group_norm(y.permute(0, 3, 1, 2), a["groups"], scale, shift, a["eps"])  # type: ignore[union-attr]
    return activate(normed.permute(0, 2, 3, 1), a["act"])


def _linear(x: Inputs, a: Attrs) -> Tensor:
    y, weight, bias, gate, residual = x
    y = activate(F.linear(y, weight, bias), a["act"])  # type: ignore[arg-type]
    if gate is not None:
        y = _by_group(y, gate, a["gate_rows"], torch.mul)
    return y if residual is None else residual + y


def _conv2d(x: Inputs, a: Attrs) -> Tensor:
    """`x` is NHWC, so its permutation is what PyTorch calls channels-last; the weight was permuted once, at load."""
    y, weight, bias, residual = x
    top, left, bottom, right = a["padding"]
    image = y.permute(0, 3, 1, 2)  # type: ignore[union-attr]
    if (top, left) != (bottom, right):
        image, top, left = F.pad(image, (left, right, top, bottom)), 0, 0
    out = F.conv2d(image, weight, bias, a["stride"], (top, left), a["dilation"], a["groups"])  # type: ignore[arg-type]
    out = activate(out, a["act"]).permute(0, 2, 3, 1)
    return out if residual is None else residual + out


def _attention(x: Inputs, a: Attrs) -> Tensor:
    """With all leading dimensions as one: the fast attentions of the peers, and ONNX, take four dimensions."""
    lead = x[0].shape[:-3]  # type: ignore[union-attr]
    q, k, v = (part.reshape(-1, *part.shape[-3:]).transpose(1, 2) for part in x[:3])  # type: ignore[union-attr]
    mask, causal = x[3], bool(a["causal"])
    if mask is not None:
        mask = torch.atleast_2d(mask)
        if mask.ndim > 3:
            mask = mask.expand(*lead, *mask.shape[-3:]).reshape(-1, *mask.shape[-3:])
    queries, keys = q.shape[-2], k.shape[-2]
    if causal and (mask is not None or queries != keys):  # PyTorch's own mask takes neither
        later = torch.ones(queries, keys, dtype=torch.bool).triu(keys - queries + 1)
        mask = torch.zeros((), dtype=q.dtype) if mask is None else mask
        mask, causal = torch.where(later, float("-inf"), mask), False
    mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=causal, scale=a["scale"])
    return mixed.transpose(1, 2).reshape(*lead, queries, *mixed.shape[1:2], mixed.shape[-1])


def window_mask(bias: Tensor | None, window: int, history: int, heads: int) -> Tensor:
    """Logit bias `[H, W, history + W]` once the ring is full: by distance in frames, -inf for later frames."""
    query = torch.arange(history, history + window)[:, None]
    distance = query - torch.arange(history + window)
    by_distance = torch.zeros(heads, history + window) if bias is None else bias
    return by_distance[:, distance.clamp(min=0)].masked_fill(distance < 0, float("-inf"))


def ring_attention(
    q: Tensor, k: Tensor, v: Tensor, past_k: Tensor, past_v: Tensor, mask: Tensor, scope: str, scale: float
) -> Tensor:
    """q, k, v `[B,W,P,H,D]` over `past` `[B,history,P,H,D]`, oldest first, and themselves; `mask` of `window_mask`.

    What a user without a ring in the runtime writes: the past is an input, and is concatenated.
    """
    keys, values = torch.cat([past_k, k], 1), torch.cat([past_v, v], 1)
    batch, window, positions, heads, width = q.shape
    if scope == "position":  # positions join the batch: the fast attentions of the peers take four dimensions
        parts = [part.permute(0, 2, 3, 1, 4).flatten(0, 1) for part in (q, keys, values)]
        mixed = F.scaled_dot_product_attention(*parts, attn_mask=mask[None], scale=scale)
        return mixed.unflatten(0, (batch, positions)).permute(0, 3, 1, 2, 4)
    parts = [part.flatten(1, 2).transpose(1, 2) for part in (q, keys, values)]
    wide = mask.repeat_interleave(positions, 1).repeat_interleave(positions, 2)
    mixed = F.scaled_dot_product_attention(*parts, attn_mask=wide[None], scale=scale)
    return mixed.transpose(1, 2).reshape(batch, window, positions, heads, width)


OPS: dict[str, Callable[[Inputs, Attrs], Tensor]] = {
    "reshape": _reshape,
    "permute": _permute,
    "slice": _slice,
    "expand": _expand,
    "copy": _copy,
    "concat": _concat,
    "pad": _pad,
    "gather": _gather,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "linear": _linear,
    "conv2d": _conv2d,
    "attention": _attention,
}
