"""The feed-forward sublayer."""

import torch.nn.functional as F
from torch import Tensor, nn

from .zeroed import zeroed


class Mlp(nn.Module):
    """linear, GELU (tanh form), linear."""

    def __init__(self, width: int, hidden: int, out: int | None = None) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width if out is None else out)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(F.gelu(self.up(x), approximate="tanh"))
        return y


class ResidualMlp(Mlp):
    """Of a residual branch, which changes nothing at first."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__(width, hidden)
        zeroed(self.down)
