"""A simulator as one module: denoiser, VAE and the start clips from which it plays without any frame given.

It is what a simulator checkpoint holds and what `exporters` reads. Legend: S start clips, N latents each, h w C latent,
T actions a latent, A buttons.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from ..config import register
from ..vae import ConvVAEConfig, HybridVAEConfig
from .model import DenoiserConfig


@register
@dataclass(frozen=True)
class SimConfig:
    """The networks and the frame loop they were trained for.

    `grades` is the noise of the shift window from clean to pure noise, `history` the number of cached latents that a
    frame may see besides the window. On the way from one grade to the next, the denoiser is asked `evaluations` times.
    """

    denoiser: DenoiserConfig
    vae: HybridVAEConfig | ConvVAEConfig
    grades: tuple[float, ...] = (0.0, 0.4, 0.75, 1.0)
    evaluations: int = 1
    history: int = 12
    start_clips: int = 8
    start_latents: int = 8

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in pairwise(self.grades))
        if not rising or self.grades[0] != 0.0 or self.grades[-1] != 1.0:
            raise ValueError(f"grades {self.grades} must rise from 0 to 1")
        if self.evaluations < 1:
            raise ValueError(f"evaluations {self.evaluations} must be 1 or more")
        needed = self.history + len(self.grades)
        if self.denoiser.max_distance < needed:
            raise ValueError(f"max_distance {self.denoiser.max_distance} < history + window = {needed}")

    @property
    def levels(self) -> tuple[float, ...]:
        """Every noise level at which the denoiser is asked, rising: the grades and, between two of them, `evaluations`
        equal parts."""
        parts = [part / self.evaluations for part in range(self.evaluations)]
        between = [a + (b - a) * part for a, b in pairwise(self.grades) for part in parts]
        return (*between, self.grades[-1])

    def build(self) -> "SimModel":
        return SimModel(self)


class StartClips(nn.Module):
    """`latents` [S,N,h,w,C] float32 (normalised) and `actions` [S,N,T,A] float32."""

    latents: Tensor
    actions: Tensor

    def __init__(self, config: SimConfig) -> None:
        super().__init__()
        d, clips, latents = config.denoiser, config.start_clips, config.start_latents
        self.register_buffer("latents", torch.zeros(clips, latents, d.rows, d.columns, d.channels))
        self.register_buffer("actions", torch.zeros(clips, latents, d.actions_per_latent, d.buttons))


class SimModel(nn.Module):
    """`denoiser`, `vae` and `start`, with random weights until they are loaded."""

    def __init__(self, config: SimConfig) -> None:
        super().__init__()
        self.config = config
        self.denoiser = config.denoiser.build()
        self.vae = config.vae.build()
        self.start = StartClips(config)
        d = config.denoiser
        latent, expected = (self.vae.rows, self.vae.columns, self.vae.channels), (d.rows, d.columns, d.channels)
        if latent != expected:
            raise ValueError(f"the VAE's latents are {latent}, the denoiser's {expected}")
