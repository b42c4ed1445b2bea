"""Training on the denoiser's own rollouts (after Self Forcing, Huang et al. 2025): in play it sees what it made.

A group of steps shares a few long clips. The denoiser plays them on from a recorded context, under the recorded
buttons; then it learns to predict the *recorded* latents from that past of its own, which has drifted. A rollout costs
as much as some steps, so a group is several of them with fresh noise levels.
"""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..config import register
from .model import Denoiser
from .rollout import rollout
from .validate import CONTEXT
from .world import SimConfig


@register
@dataclass(frozen=True)
class OwnPastConfig:
    """`share` of the steps after the fraction `begin` of the run train on clips of `frames` latents with an own past,
    in groups of `reuse` steps. A run resumed within a group plays it anew, with the weights of that moment."""

    share: float = 0.0
    begin: float = 0.0
    frames: int = 24
    reuse: int = 4

    def group(self, step: int, steps: int) -> int | None:
        """The group that `step` of `steps` belongs to; None for a step with a recorded past."""
        group = step // self.reuse
        due = step >= self.begin * steps and int((group + 1) * self.share) > int(group * self.share)
        return group if due else None


class OwnPast:
    """Keeps the rollouts of the group at hand."""

    def __init__(self, denoiser: Denoiser, config: SimConfig) -> None:
        self.denoiser = denoiser
        self.config = config
        self.group = -1
        self.made: Tensor | None = None

    def of(self, group: int, latents_BFhwC: Tensor, actions_BFTA: Tensor) -> Tensor:
        """`[B,F,h,w,C]`: the recorded context, then what the denoiser made of it."""
        if self.made is None or group != self.group:
            context, frames = latents_BFhwC[:, :CONTEXT], latents_BFhwC.shape[1]
            # A ring as long as the clip forgets nothing; the longer one of play would be read for nothing.
            short = replace(self.config, history=min(self.config.history, frames))
            own = rollout(self.denoiser, short, context, actions_BFTA, "shift", seed=group * len(context))
            self.group, self.made = group, torch.cat([context, own.float()], 1)
        return self.made
