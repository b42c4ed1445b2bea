"""Rotary position embedding over the rows and columns of a picture (Su et al. 2021; axial, as vision models use it).

Legend: P = rows * columns positions, H heads, K head width.
"""

import torch
from torch import Tensor, nn

# Periods of 2 pi up to 2 pi * BASE positions: pictures here are at most some tens of positions wide.
BASE = 20.0


class AxialRotary(nn.Module):
    """Turns pairs of channels by angles that grow with the position: a query sees how far off a key lies, not where.

    One half of the pairs follows the row, the other the column. ValueError unless `head` is a multiple of 4.
    """

    cos: Tensor
    sin: Tensor

    def __init__(self, rows: int, columns: int, head: int) -> None:
        super().__init__()
        if head % 4:
            raise ValueError(f"rotary embedding of two axes needs a head width that is a multiple of 4, not {head}")
        frequencies = BASE ** -(torch.arange(head // 4) / (head // 4))
        row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        angles = torch.cat([place.flatten()[:, None] * frequencies for place in (row, column)], 1)
        self.register_buffer("cos", angles.cos()[:, None], persistent=False)  # [P, 1, K / 2]
        self.register_buffer("sin", angles.sin()[:, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """`[..., P, H, K] -> [..., P, H, K]`; channel i is paired with channel i + K / 2."""
        a, b = x.chunk(2, -1)
        return torch.cat([a * self.cos - b * self.sin, a * self.sin + b * self.cos], -1)
