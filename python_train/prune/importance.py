"""How much the loss would change if a head or a channel were missing: the first-order estimate of Molchanov et al. 2019
("Importance Estimation for Neural Network Pruning"), (dL / dm)^2 for a mask m = 1 on the unit, summed over batches."""

from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor, nn

from .groups import Group, masked, ones


def importance(model: nn.Module, groups: Sequence[Group], losses: Iterable[Callable[[], Tensor]]) -> dict[str, Tensor]:
    """Scores [units] of every group, by its path. Each of `losses` runs the model on a batch and returns the loss."""
    masks = {group.path: ones(group) for group in groups}
    hooks = [
        model.get_submodule(group.consumer).register_forward_pre_hook(
            lambda _, inputs, mask=masks[group.path]: (masked(inputs[0], mask),)
        )
        for group in groups
    ]
    scores = {path: torch.zeros_like(mask, requires_grad=False) for path, mask in masks.items()}
    try:
        for loss in losses:
            gradients = torch.autograd.grad(loss(), list(masks.values()))
            for path, gradient in zip(masks, gradients, strict=True):
                scores[path] += gradient.square()
    finally:
        for hook in hooks:
            hook.remove()
    return scores
