"""Optimizers and the learning-rate schedule."""

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.optim import Optimizer

from ..config import register
from .muon import Muon


@register
@dataclass(frozen=True)
class OptimConfig:
    """AdamW for everything, or Muon for the matrices of the blocks and AdamW for the rest (`muon_lr` > 0).

    The rate rises linearly over `warmup` steps, holds until the fraction `hold` of the run and falls along a cosine to
    `floor` times itself.
    """

    lr: float = 7e-4
    muon_lr: float = 0.0
    weight_decay: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.95)
    warmup: int = 60
    hold: float = 0.3
    floor: float = 0.02
    clip: float = 1.0


def lr_scale(config: OptimConfig, step: int, steps: int) -> float:
    """Factor on the learning rate at `step` of `steps`."""
    warm = min(1.0, (step + 1) / config.warmup)
    progress = min(1.0, step / steps)
    if progress <= config.hold:
        return warm
    fall = (progress - config.hold) / (1 - config.hold)
    return warm * max(config.floor, 0.5 * (1 + math.cos(math.pi * fall)))


def build_optimizers(model: nn.Module, config: OptimConfig) -> list[Optimizer]:
    """Muon is meant for hidden layers: weights outside `blocks` (input, output, embeddings) and the adaLN projections,
    whose input is the noise level alone, stay with AdamW."""
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    hidden = [p for name, p in named if config.muon_lr and _is_hidden_matrix(name, p)]
    chosen = {id(p) for p in hidden}
    rest = [p for _, p in named if id(p) not in chosen]
    adamw = torch.optim.AdamW(rest, config.lr, betas=config.betas, weight_decay=config.weight_decay)
    return [adamw, Muon(hidden, config.muon_lr)] if hidden else [adamw]


def _is_hidden_matrix(name: str, p: nn.Parameter) -> bool:
    return p.ndim == 2 and name.startswith("blocks.") and name.endswith(".weight") and "adaln" not in name
