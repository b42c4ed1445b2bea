"""The paper's epsilon-prediction DDPM, in continuous time with the cosine schedule (Nichol and Dhariwal 2021).

sigma in [0, 1] is the time: x = sqrt(a) x0 + sqrt(1 - a) eps with a = cos^2(sigma pi / 2). The step is DDIM's.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import register


@register
@dataclass(frozen=True)
class DDPM:
    """`floor` bounds the signal fraction `a` from below: at sigma = 1 an epsilon says nothing about x0."""

    floor: float = 1e-3

    def signal(self, sigma: Tensor) -> Tensor:
        """a(sigma), the fraction of the variance that is signal."""
        return torch.cos(sigma * (math.pi / 2)).square().clamp(self.floor, 1 - 1e-6)

    def add_noise(self, x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        a = self.signal(sigma)
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def to_x0(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """The network's output is epsilon."""
        a = self.signal(sigma)
        return (x - (1 - a).sqrt() * output) / a.sqrt()

    def step(self, x: Tensor, x0: Tensor, sigma: Tensor, next_sigma: Tensor) -> Tensor:
        a, b = self.signal(sigma), self.signal(next_sigma)
        noise = (x - a.sqrt() * x0) / (1 - a).sqrt()
        return b.sqrt() * x0 + (1 - b).sqrt() * noise

    def lead(self, grades: Tensor) -> Tensor:
        """Zero: DDIM's step is first order, and an epsilon at sigma = 1 gives no x0 to go by."""
        return torch.zeros_like(grades)

    def loss_weight(self, sigma: Tensor) -> Tensor:
        """Turns the squared error of x0 into that of epsilon."""
        a = self.signal(sigma)
        return a / (1 - a)
