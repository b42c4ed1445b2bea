"""Exponential moving average of a model's weights: what is evaluated, checkpointed and played."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Averages the trainable parameters of `model`. The decay grows from 0.1 to `decay` over the first steps, so that
    the random initial weights are forgotten quickly."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.shadow = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        weights = dict(model.named_parameters())
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        shadow = list(self.shadow.values())
        torch._foreach_lerp_(shadow, [weights[name].detach() for name in self.shadow], 1 - decay)
        self.updates += 1

    @torch.no_grad()
    def load(self, shadow: dict[str, Tensor], updates: int) -> None:
        for name, value in shadow.items():
            self.shadow[name].copy_(value)
        self.updates = updates

    @contextmanager
    def applied(self, model: nn.Module) -> Iterator[None]:
        """Within the block the model has the averaged weights and is in eval mode."""
        weights = dict(model.named_parameters())
        training = model.training
        kept = {name: weights[name].detach().clone() for name in self.shadow}
        self._copy(self.shadow, weights)
        model.eval()
        try:
            yield
        finally:
            self._copy(kept, weights)
            model.train(training)

    @staticmethod
    @torch.no_grad()
    def _copy(source: dict[str, Tensor], target: dict[str, nn.Parameter]) -> None:
        for name, value in source.items():
            target[name].copy_(value)
