"""Playing a denoiser on, latent by latent, for sample sheets and measures.

One latent is denoised through all grades before the next begins (the schedule "sequential"). Legend: B clips, F context
latents, N new latents, h w C latent, T actions a latent, A buttons.
"""

from itertools import pairwise

import torch
from torch import Tensor

from ..common.precision import autocast
from .cache import RingCache
from .model import Denoiser
from .world import SimConfig


def empty_cache(config: SimConfig, batch: int, device: torch.device) -> RingCache:
    d = config.denoiser
    shape = (batch, config.history + 1, d.rows * d.columns, d.heads, d.width // d.heads)
    k_rings, v_rings = ([torch.zeros(shape, device=device) for _ in range(d.layers)] for _ in range(2))
    counter = torch.zeros(batch, dtype=torch.int64, device=device)
    return RingCache(counter, counter.clone(), 0, config.history, k_rings, v_rings)


@torch.no_grad()
def rollout(
    denoiser: Denoiser, config: SimConfig, context_BFhwC: Tensor, actions_BNTA: Tensor, noise_BNhwC: Tensor
) -> Tensor:
    """New latents `[B,N,h,w,C]` after a clean context; `actions` `[B,F+N,T,A]` begins with the context's."""
    batch, context = context_BFhwC.shape[:2]
    cache = empty_cache(config, batch, context_BFhwC.device)

    def call(x: Tensor, sigma: float, index: int, keep: bool) -> Tensor:
        cache.frame.fill_(index)
        cache.commit = int(keep)
        levels = torch.full((1,), sigma, device=x.device)
        with autocast(x.device):
            x0: Tensor = denoiser(x[:, None], levels, actions_BNTA[:, index : index + 1], cache)
        return x0[:, 0].float()

    for index in range(context):
        call(context_BFhwC[:, index], 0.0, index, True)
    grades = config.grades[::-1]
    diffusion = config.denoiser.diffusion
    made = []
    for new in range(noise_BNhwC.shape[1]):
        x, index = noise_BNhwC[:, new], context + new
        for sigma, lower in pairwise(grades):
            x0 = call(x, sigma, index, False)
            x = diffusion.step(x, x0, torch.tensor(sigma), torch.tensor(lower))
        call(x, 0.0, index, True)
        made.append(x)
    return torch.stack(made, 1)
