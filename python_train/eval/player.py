"""What the measures need of a world. The simulator in PyTorch is one player; a package in the runtime is another, in
`exporters`, because training knows nothing of the runtime. Both are measured by the same code.

Legend: N starts, h w C latent, T frames a latent, A buttons.
"""

from typing import Protocol

import torch
from torch import Tensor
from tqdm import tqdm

from ..common.precision import autocast
from ..sim.rollout import rollout
from ..sim.world import SimModel

CHUNK = 16  # starts that play side by side; their rings are what takes memory


class Player(Protocol):
    """A world to measure."""

    def encode(self, frames_u8: Tensor) -> Tensor:
        """uint8 `[N,T,H,W,3]` -> latents float32 `[N,h,w,C]`."""

    def decode(self, latents_NhwC: Tensor) -> Tensor:
        """Latents -> uint8 `[N,T,H,W,3]`."""

    def play(self, context_NFhwC: Tensor, actions_NMTA: Tensor, schedule: str, seed: int) -> Tensor:
        """New latents `[N,M-F,h,w,C]` after F clean ones; the actions begin with the context's. World n draws its noise
        from `seed + n`."""


class TorchPlayer:
    """A simulator checkpoint in PyTorch."""

    def __init__(self, sim: SimModel) -> None:
        self.sim = sim

    @torch.no_grad()
    def encode(self, frames_u8: Tensor) -> Tensor:
        with autocast(torch.device("cpu")):
            return torch.cat([self.sim.vae.encode_frames(part) for part in frames_u8.split(CHUNK)])

    @torch.no_grad()
    def decode(self, latents_NhwC: Tensor) -> Tensor:
        with autocast(torch.device("cpu")):
            return torch.cat([self.sim.vae.decode_latent(part) for part in latents_NhwC.split(CHUNK)])

    def play(self, context_NFhwC: Tensor, actions_NMTA: Tensor, schedule: str, seed: int) -> Tensor:
        parts = []
        for first in tqdm(range(0, len(context_NFhwC), CHUNK), desc=f"play {schedule}", mininterval=10):
            chunk = slice(first, first + CHUNK)
            context, actions = context_NFhwC[chunk], actions_NMTA[chunk]
            parts.append(rollout(self.sim.denoiser, self.sim.config, context, actions, schedule, seed + first))
        return torch.cat(parts)
