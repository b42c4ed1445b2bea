"""Sublayers of the Yan-Sim denoiser.

Legend: B batch, F frames (latents), P positions in a latent, D width, H heads, K head width, T actions a latent, E
action width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .. import ops  # noqa: F401  registers yanrt::ring_attention
from ..layers.attention import attend, split_heads
from ..layers.rotary import AxialRotary
from ..layers.zeroed import zeroed
from .cache import RingCache


def modulate(x_BFPD: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """adaLN: a norm without weights, then shift and scale from the noise level (Peebles and Xie 2022)."""
    return F.layer_norm(x_BFPD, (x_BFPD.shape[-1],)) * (1 + scale) + shift


class ActionAttention(nn.Module):
    """Cross-attention of a latent's positions to the T action tokens of that latent alone.

    The output projection starts at its usual size, not at zero: with a small start the denoiser settles on ignoring
    the actions and takes long to leave that (docs/training.md).
    """

    def __init__(self, width: int, heads: int, head_width: int, action_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.q = nn.Linear(width, heads * head_width)
        self.kv = nn.Linear(action_width, 2 * heads * head_width)
        self.out = nn.Linear(heads * head_width, width)

    def forward(self, x_BFPD: Tensor, action_BFTE: Tensor) -> Tensor:
        (q,) = split_heads(self.q(self.norm(x_BFPD)).flatten(0, 1), 1, self.heads)
        k, v = split_heads(self.kv(action_BFTE).flatten(0, 1), 2, self.heads)
        y: Tensor = self.out(attend(q, k, v).unflatten(0, x_BFPD.shape[:2]))
        return y


class QueryKeyValue(nn.Module):
    """Projects to heads. Queries and keys are normed, so that logits stay bounded as training goes on (Dehghani et al.
    2023), then turned by `rotary` if there is one."""

    def __init__(self, width: int, heads: int, head_width: int, rotary: AxialRotary | None) -> None:
        super().__init__()
        self.heads, self.rotary = heads, rotary
        self.project = nn.Linear(width, 3 * heads * head_width)
        self.norm = nn.LayerNorm(head_width, bias=False)

    def forward(self, x_BFPD: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        q, k, v = split_heads(self.project(x_BFPD), 3, self.heads)
        q, k = self.norm(q), F.layer_norm(k, k.shape[-1:])
        if self.rotary is not None:
            q, k = self.rotary(q), self.rotary(k)
        return q, k, v


class SpatialAttention(nn.Module):
    """The positions of one latent attend to each other."""

    def __init__(self, width: int, heads: int, head_width: int, rotary: AxialRotary) -> None:
        super().__init__()
        self.qkv = QueryKeyValue(width, heads, head_width, rotary)
        self.out = zeroed(nn.Linear(heads * head_width, width))

    def forward(self, x_BFPD: Tensor) -> Tensor:
        y: Tensor = self.out(attend(*self.qkv(x_BFPD)))
        return y


class TemporalAttention(nn.Module):
    """Latents attend to the same and earlier latents, with a learned bias by distance in latents.

    `scope` "position": each position sees itself alone (the paper's factorised attention); "frame": it sees all
    positions. `bias` [H, max_distance] starts as ALiBi's slopes (Press et al. 2021). The order of latents is known by
    it alone, so a rollout may go on for ever.
    """

    def __init__(
        self, width: int, heads: int, head_width: int, max_distance: int, scope: str, rotary: AxialRotary | None
    ) -> None:
        super().__init__()
        self.scope, self.scale = scope, head_width**-0.5
        self.qkv = QueryKeyValue(width, heads, head_width, rotary)
        self.out = zeroed(nn.Linear(heads * head_width, width))
        slopes = 0.5 ** torch.arange(1, heads + 1, dtype=torch.float32)
        self.bias = nn.Parameter(-slopes[:, None] * torch.arange(max_distance, dtype=torch.float32))

    def forward(self, x_BFPD: Tensor, cache: RingCache | None, layer: int) -> Tensor:
        q_BFPHK, k_BFPHK, v_BFPHK = self.qkv(x_BFPD)
        if cache is None:
            mixed = self._causal(q_BFPHK, k_BFPHK, v_BFPHK)
        else:
            mixed = torch.ops.yanrt.ring_attention(
                q_BFPHK,
                k_BFPHK,
                v_BFPHK,
                cache.k_rings[layer],
                cache.v_rings[layer],
                cache.frame,
                cache.first_valid,
                self.bias,
                cache.commit,
                cache.history,
                self.scope,
                self.scale,
            )
        y: Tensor = self.out(mixed.flatten(-2))
        return y

    def _causal(self, q_BFPHK: Tensor, k_BFPHK: Tensor, v_BFPHK: Tensor) -> Tensor:
        """The same attention over a whole clip at once; ValueError for a clip longer than the bias."""
        b, frames, positions, heads, head = q_BFPHK.shape
        if frames > self.bias.shape[1]:
            raise ValueError(f"a clip of {frames} latents is longer than the bias, {self.bias.shape[1]} distances")
        index = torch.arange(frames, device=self.bias.device)
        distance_FF = index[:, None] - index
        bias = self.bias[:, distance_FF.clamp(min=0)].masked_fill(distance_FF < 0, float("-inf")).to(q_BFPHK.dtype)
        if self.scope == "position":
            q, k, v = (part.permute(0, 2, 3, 1, 4) for part in (q_BFPHK, k_BFPHK, v_BFPHK))
            return F.scaled_dot_product_attention(q, k, v, attn_mask=bias).permute(0, 3, 1, 2, 4)
        bias = bias.repeat_interleave(positions, 1).repeat_interleave(positions, 2)
        q, k, v = (part.flatten(1, 2).transpose(1, 2) for part in (q_BFPHK, k_BFPHK, v_BFPHK))
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias[None])  # the fused kernel wants four dimensions
        return mixed.transpose(1, 2).reshape(b, frames, positions, heads, head)
