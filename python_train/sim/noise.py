"""Noise levels of training clips: diffusion forcing mixed with the patterns that the frame loop meets.

The paper draws an independent level for each frame (diffusion forcing, Chen et al. 2024). The frame loop only ever
shows two patterns at fixed levels, so most clips follow those: what the model is asked in play, it is trained for.
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


def scattered(batch: int, frames: int, levels: tuple[float, ...], clean: float, rng: torch.Generator) -> Tensor:
    """Each frame clean or at one of the levels: the sequential schedule, at many frames of a clip at once."""
    noisy = torch.tensor(levels[1:])[torch.randint(len(levels) - 1, (batch, frames), generator=rng)]
    return torch.where(torch.rand(batch, frames, generator=rng) < clean, 0.0, noisy)


def shift_window(
    batch: int, frames: int, levels: tuple[float, ...], rng: torch.Generator, first: int = 1, evaluations: int = 1
) -> tuple[Tensor, Tensor]:
    """Levels of a clean prefix of random length (`first` or more) and the window behind it, as one of the `evaluations`
    of a call sees it, and which frames lie behind that window (bool), both `[B,F]`. The latter are pure noise."""
    grades = (len(levels) - 1) // evaluations
    prefix = torch.randint(first, max(first + 1, frames - grades + 1), (batch, 1), generator=rng)
    part = torch.randint(evaluations, (batch, 1), generator=rng)
    place = (torch.arange(frames) - prefix + 1).clamp(min=0)
    behind = place > grades
    index = torch.where(behind, len(levels) - 1, place * evaluations - part * (place > 0))
    return torch.tensor(levels)[index], behind


def sample_levels(
    batch: int,
    frames: int,
    levels: tuple[float, ...],
    config: NoiseConfig,
    rng: torch.Generator,
    first: int = 1,
    evaluations: int = 1,
) -> Tensor:
    """Levels `[B,F]` in [0, 1], each clip of one pattern; `first` and `evaluations` as in `shift_window`."""
    choice = torch.rand(batch, 1, generator=rng)
    free = independent(batch, frames, config, rng)
    mixed = scattered(batch, frames, levels, config.clean, rng)
    window, behind = shift_window(batch, frames, levels, rng, first, evaluations)
    # Frames behind the window are never seen by it; independent levels there still teach something.
    window = torch.where(behind, free, window)
    chosen = torch.where(choice < config.shift + config.scattered, mixed, free)
    return torch.where(choice < config.shift, window, chosen)
