"""The feed-forward sublayer."""

import torch.nn.functional as F
from torch import Tensor, nn


class Mlp(nn.Module):
    """linear, GELU (tanh form), linear. `zero_output` makes a new residual block change nothing at first."""

    def __init__(self, width: int, hidden: int, out: int | None = None) -> None:
        super().__init__()
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width if out is None else out)

    def zero_output(self) -> "Mlp":
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)
        return self

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.down(F.gelu(self.up(x), approximate="tanh"))
        return y
