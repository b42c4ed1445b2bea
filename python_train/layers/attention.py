"""Attention among the tokens of one picture.

Legend: B pictures, P and S tokens, D width, H heads, K head width; H K is less than D where heads were pruned.
"""

import torch.nn.functional as F
from torch import Tensor, nn

from .zeroed import zeroed


def split_heads(x: Tensor, parts: int, heads: int) -> tuple[Tensor, ...]:
    """`[..., parts H K]` -> `parts` times `[..., H, K]`."""
    split: tuple[Tensor, ...] = x.unflatten(-1, (parts, heads, -1)).unbind(-3)
    return split


def attend(q_BPHK: Tensor, k_BSHK: Tensor, v_BSHK: Tensor) -> Tensor:
    """Every query sees every key; heads side by side, `[B,P,H K]`."""
    q, k, v = (x.transpose(-3, -2) for x in (q_BPHK, k_BSHK, v_BSHK))
    mixed = F.scaled_dot_product_attention(q, k, v)
    return mixed.transpose(-3, -2).flatten(-2)


class SelfAttention(nn.Module):
    """Full attention `[B,P,D] -> [B,P,D]`; the output projection starts at zero."""

    def __init__(self, width: int, heads: int, head_width: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * heads * head_width)
        self.out = zeroed(nn.Linear(heads * head_width, width))

    def forward(self, x_BPD: Tensor) -> Tensor:
        y: Tensor = self.out(attend(*split_heads(self.qkv(x_BPD), 3, self.heads)))
        return y
