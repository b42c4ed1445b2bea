"""Noise levels of training clips: diffusion forcing mixed with the patterns that the frame loop meets.

The paper draws an independent level for each frame (diffusion forcing, Chen et al. 2024). The frame loop only ever
shows two patterns at fixed grades, so most clips follow those: what the model is asked in play, it is trained for.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..config import register


@register
@dataclass(frozen=True)
class NoiseConfig:
    """Shares of the patterns, the rest being independent levels. `clean`: share of clean frames in "scattered"."""

    shift: float = 0.5
    scattered: float = 0.25
    clean: float = 0.5
    spread: float = 1.2
    centre: float = 0.3


def independent(batch: int, frames: int, config: NoiseConfig, rng: torch.Generator) -> Tensor:
    """Logit-normal levels, leaning towards noise, independent for each frame `[B,F]`."""
    return torch.sigmoid(torch.randn(batch, frames, generator=rng) * config.spread + config.centre)


def scattered(batch: int, frames: int, grades: tuple[float, ...], clean: float, rng: torch.Generator) -> Tensor:
    """Each frame clean or at one of the grades: the sequential schedule, at many frames of a clip at once."""
    noisy = torch.tensor(grades[1:])[torch.randint(len(grades) - 1, (batch, frames), generator=rng)]
    return torch.where(torch.rand(batch, frames, generator=rng) < clean, 0.0, noisy)


def shift_window(batch: int, frames: int, grades: tuple[float, ...], rng: torch.Generator, first: int = 1) -> Tensor:
    """A clean prefix of random length (`first` or more), then the grades up to pure noise, which goes on to the end."""
    noisy = len(grades) - 1
    prefix = torch.randint(first, max(first + 1, frames - noisy + 1), (batch, 1), generator=rng)
    place = (torch.arange(frames) - prefix + 1).clamp(0, noisy)
    return torch.tensor(grades)[place]


def sample_levels(
    batch: int, frames: int, grades: tuple[float, ...], config: NoiseConfig, rng: torch.Generator, first: int = 1
) -> Tensor:
    """Levels `[B,F]` in [0, 1], each clip of one pattern; `first` as in `shift_window`."""
    choice = torch.rand(batch, 1, generator=rng)
    levels = independent(batch, frames, config, rng)
    mixed = scattered(batch, frames, grades, config.clean, rng)
    window = shift_window(batch, frames, grades, rng, first)
    # Frames behind the window are never seen by it; independent levels there still teach something.
    behind = (window == grades[-1]).cumsum(1) > 1
    window = torch.where(behind, levels, window)
    levels = torch.where(choice < config.shift + config.scattered, mixed, levels)
    return torch.where(choice < config.shift, window, levels)
