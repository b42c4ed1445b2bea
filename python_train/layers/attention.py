"""Self-attention over the tokens of one picture. Legend: B batch, P tokens, D width, H heads, K head width."""

import torch.nn.functional as F
from torch import Tensor, nn


class SelfAttention(nn.Module):
    """Full attention `[B,P,D] -> [B,P,D]`; the output projection starts at zero."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"width {width} is not a multiple of {heads} heads")
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x_BPD: Tensor) -> Tensor:
        b, p, d = x_BPD.shape
        qkv = self.qkv(x_BPD).reshape(b, p, 3, self.heads, d // self.heads)
        q_BHPK, k_BHPK, v_BHPK = (part.transpose(1, 2) for part in qkv.unbind(2))
        mixed = F.scaled_dot_product_attention(q_BHPK, k_BHPK, v_BHPK)
        y: Tensor = self.out(mixed.transpose(1, 2).reshape(b, p, d))
        return y
