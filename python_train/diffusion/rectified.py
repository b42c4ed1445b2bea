"""Rectified flow with x0-prediction: x_sigma = (1 - sigma) x0 + sigma eps (Liu et al. 2022). sigma is in [0, 1]."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import register


@register
@dataclass(frozen=True)
class RectifiedFlow:
    """`floor`: the loss is weighted by 1 / (2 max(sigma, floor)^2), the velocity loss with its pole cut off."""

    floor: float = 0.25

    def add_noise(self, x0: Tensor, noise: Tensor, sigma: Tensor) -> Tensor:
        """`sigma` broadcasts to the latents."""
        return (1 - sigma) * x0 + sigma * noise

    def to_x0(self, output: Tensor, x: Tensor, sigma: Tensor) -> Tensor:
        """The clean latent that the network's output stands for."""
        return output

    def step(self, x: Tensor, x0: Tensor, sigma: Tensor, next_sigma: Tensor) -> Tensor:
        """From grade `sigma` > 0 to `next_sigma`, along the straight line through `x` and `x0`."""
        return x0 + (x - x0) * (next_sigma / sigma)

    def lead(self, grades: Tensor) -> Tensor:
        """How far x0 is carried on before the step from each of `grades` [W] (0 to 1), in units of its change since the
        grade above: to the middle of the step, in a straight line. That makes the step second order (Adams-Bashforth;
        DPM-Solver++(2M) by Lu et al. 2022 does so in another variable).

        The first step has nothing to go by, and the last one, whose result nothing corrects, stays first order, as
        theirs does.
        """
        steps = grades[1:] - grades[:-1]
        lead = torch.zeros_like(grades)
        lead[2:-1] = steps[1:-1] / (2 * steps[2:])
        return lead

    def loss_weight(self, sigma: Tensor) -> Tensor:
        """Weight of the squared error of x0."""
        return 0.5 / sigma.clamp(min=self.floor).square()
