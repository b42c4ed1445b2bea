"""`yanrt::ring_attention`: attention of a window of frames over a ring of cached frames and itself.

Defined in docs/ring_attention.md. It serves the factorised temporal attention of Yan-Sim (`scope="position"`) and
block-causal attention (`scope="frame"`).
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def _check(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_ring: Tensor,
    v_ring: Tensor,
    bias: Tensor | None,
    commit: int,
    history: int,
    scope: str,
) -> None:
    batch, window, *rest = q.shape
    slots = k_ring.shape[1]
    if k.shape != q.shape or v.shape != q.shape:
        raise ValueError(f"ring_attention: q {list(q.shape)}, k {list(k.shape)}, v {list(v.shape)} must agree")
    if v_ring.shape != k_ring.shape or k_ring.shape != (batch, slots, *rest):
        raise ValueError(
            f"ring_attention: rings {list(k_ring.shape)}, {list(v_ring.shape)} must be [{batch}, S, {rest}]"
        )
    if not 0 <= commit <= window or history < 0 or slots < history + commit:
        raise ValueError(
            f"ring_attention: {slots} ring slots, window {window} cannot hold history {history} + commit {commit}"
        )
    if scope not in ("position", "frame"):
        raise ValueError(f"ring_attention: scope {scope!r} is neither 'position' nor 'frame'")
    if bias is not None and (bias.shape[0] != q.shape[3] or bias.shape[1] < history + window):
        raise ValueError(f"ring_attention: bias {list(bias.shape)} must be [{q.shape[3]}, >= {history + window}]")


def _attend(
    q: Tensor, keys: Tensor, values: Tensor, logit_bias: Tensor, seen: Tensor, scope: str, scale: float
) -> Tensor:
    """q [B,W,P,H,D], keys and values [B,N,P,H,D], logit_bias [B,H|1,W,N], seen bool [B,W,N] -> [B,W,P,H,D]."""
    if scope == "position":
        logits = torch.einsum("bwphd,bnphd->bphwn", q, keys) * scale + logit_bias[:, None]
        weights = logits.masked_fill(~seen[:, None, None], -torch.inf).softmax(-1)
        weights = weights.masked_fill(~seen.any(-1)[:, None, None, :, None], 0.0)  # a row without keys is NaN
        return torch.einsum("bphwn,bnphd->bwphd", weights, values)
    bias = logit_bias.masked_fill(~seen[:, None], -torch.inf)
    bias = bias.repeat_interleave(q.shape[2], -2).repeat_interleave(keys.shape[2], -1)  # a mask of tokens
    query, key, value = (part.flatten(1, 2).transpose(1, 2) for part in (q, keys, values))
    mixed = F.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scale)
    mixed = mixed.transpose(1, 2).reshape(q.shape)
    return mixed.masked_fill(~seen.any(-1)[:, :, None, None, None], 0.0)


@torch.library.custom_op("yanrt::ring_attention", mutates_args=("k_ring", "v_ring"))
def ring_attention(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_ring: Tensor,
    v_ring: Tensor,
    frame: Tensor,
    first_valid: Tensor,
    bias: Tensor | None,
    commit: int,
    history: int,
    scope: str,
    scale: float,
) -> Tensor:
    """Attention [B,W,P,H,D] of window frames over cached and window frames; then `commit` frames enter the ring.

    Args:
        q, k, v: [B,W,P,H,D]; window slot i is global frame `frame + i` and exists if that is >= `first_valid`.
        k_ring, v_ring: [B,S,P,H,D], mutated: existing slot i < `commit` goes to ring slot `(frame + i) mod S`.
        frame, first_valid: i64 [B]; either may be negative.
        bias: f32 [H, >= history + W], added to the logits by distance in frames between query and key.
        history: at most this many ring frames before `max(frame, first_valid)` are seen.
        scope: "position" (p sees p alone) or "frame" (p sees all positions).

    A query whose slot does not exist yields zeros. Raises ValueError for shapes that disagree.
    """
    _check(q, k, v, k_ring, v_ring, bias, commit, history, scope)
    batch, window = q.shape[:2]
    slots = k_ring.shape[1]
    entry = torch.arange(batch, device=q.device)[:, None]
    window_g = frame[:, None] + torch.arange(window, device=q.device)  # [B, W]
    exists = window_g >= first_valid[:, None]
    ring_g = (
        torch.maximum(frame, first_valid)[:, None] - history + torch.arange(history, device=q.device)
    )  # [B, history]
    ring_slot = ring_g.remainder(slots)
    keys = torch.cat([k_ring[entry, ring_slot].to(k.dtype), k], 1)
    values = torch.cat([v_ring[entry, ring_slot].to(v.dtype), v], 1)

    causal = torch.ones(window, window, dtype=torch.bool, device=q.device).tril()
    seen = (
        torch.cat([(ring_g >= 0)[:, None].expand(-1, window, -1), exists[:, None] & causal], 2) & exists[..., None]
    )  # [B, W, N]
    if bias is None:
        logit_bias = q.new_zeros(1, 1, 1, 1)
    else:
        distance = window_g[:, :, None] - torch.cat([ring_g, window_g], 1)[:, None]
        logit_bias = bias[:, distance.clamp(0, bias.shape[1] - 1)].transpose(0, 1).to(q.dtype)  # [B, H, W, N]
    out = _attend(q, keys, values, logit_bias, seen, scope, scale)

    for i in range(commit):
        slot = window_g[:, i].remainder(slots)
        keep = exists[:, i, None, None, None]
        for ring, new in ((k_ring, k), (v_ring, v)):
            ring[entry[:, 0], slot] = torch.where(keep, new[:, i].to(ring.dtype), ring[entry[:, 0], slot])
    return out.contiguous()


@ring_attention.register_fake
def _(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    k_ring: Tensor,
    v_ring: Tensor,
    frame: Tensor,
    first_valid: Tensor,
    bias: Tensor | None,
    commit: int,
    history: int,
    scope: str,
    scale: float,
) -> Tensor:
    _check(q, k, v, k_ring, v_ring, bias, commit, history, scope)
    return q.new_empty(q.shape)
