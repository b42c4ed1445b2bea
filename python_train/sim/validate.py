"""Errors of one prediction on held-out clips, with true and with wrong actions and against repeating the last latent.

A prediction that is as good with wrong actions ignores them: the two are always reported side by side.
"""

import numpy as np
import torch
from torch import Tensor

from ..common.precision import autocast
from ..common.seeding import torch_rng
from ..data.clips import ClipConfig
from ..data.latents import LatentSampler, LatentSet
from .model import Denoiser
from .world import SimConfig

CONTEXT = 8
AHEAD = 16


def other_actions(actions_VTA: Tensor) -> Tensor:
    """For each clip, the action of another clip that differs from its own (its own if none does)."""
    count = len(actions_VTA)
    chosen = []
    for clip in range(count):
        others = (actions_VTA[(clip + offset) % count] for offset in range(1, count))
        own = actions_VTA[clip]
        chosen.append(next((other for other in others if not torch.equal(other, own)), own))
    return torch.stack(chosen)


class ValidationClips:
    """`latents` [V,CONTEXT+AHEAD,h,w,C] and `actions` [V,CONTEXT+AHEAD,T,A] of the val split, open views preferred."""

    def __init__(self, data: LatentSet, config: SimConfig, clips: int, seed: int, device: torch.device) -> None:
        self.config = config
        length = CONTEXT + AHEAD
        sampler = LatentSampler(data, ClipConfig(), length, seed)
        places = np.sort(sampler.places(0, clips))
        latents, actions = data.clips(places, length)
        self.latents, self.actions = latents.to(device), actions.to(device)
        self.noise = torch.randn(self.latents.shape, generator=torch_rng(seed, 1)).to(device)

    def measure(self, denoiser: Denoiser) -> dict[str, float]:
        """Mean squared error of x0 of the latent after the context, which has unit variance."""
        latents, actions = self.latents[:, : CONTEXT + 1], self.actions[:, : CONTEXT + 1]
        wrong = actions.clone()
        wrong[:, -1] = other_actions(actions[:, -1])
        truth = latents[:, -1]
        result = {"repeat_last": (latents[:, -2] - truth).square().mean().item()}
        for sigma in self.config.grades[1:]:
            result[f"x0_at_{sigma:g}"] = self._error(denoiser, latents, actions, sigma)
        result["x0_wrong_action"] = self._error(denoiser, latents, wrong, 1.0)
        return result

    def _error(self, denoiser: Denoiser, latents: Tensor, actions: Tensor, sigma: float) -> float:
        levels = torch.zeros(latents.shape[:2], device=latents.device)
        levels[:, -1] = sigma
        noise = self.noise[:, : latents.shape[1]]
        noisy = self.config.denoiser.diffusion.add_noise(latents, noise, levels[..., None, None, None])
        with autocast(latents.device):
            x0 = denoiser(noisy, levels, actions)[:, -1].float()
        return float((x0 - latents[:, -1]).square().mean())
