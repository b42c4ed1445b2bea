"""A denoiser's weights for a denoiser of more distances or channels."""

from dataclasses import replace

import torch
from torch import Tensor

from .model import Denoiser, DenoiserConfig

BIAS = ".temporal.bias"


def grown(denoiser: Denoiser, own: DenoiserConfig) -> dict[str, Tensor]:
    """The weights of `denoiser` for one of the sizes `own`. Distances that it did not know get the bias of its
    farthest; channels that it did not know, the last ones, are not read and predicted as their mean, 0. ValueError for
    any other difference."""
    known = denoiser.config
    if replace(known, max_distance=own.max_distance, channels=own.channels) != own or known.channels > own.channels:
        raise ValueError(f"the checkpoint to start from holds {known}, the run expects {own}")
    weights = denoiser.state_dict()
    for name, value in weights.items():
        if name.endswith(BIAS):
            first = value[:, : own.max_distance]
            value = torch.cat([first, first[:, -1:].expand(-1, own.max_distance - first.shape[1])], 1)
        elif name.startswith("latent_out."):
            value = torch.cat([value, value.new_zeros(own.channels - known.channels, *value.shape[1:])])
        elif name == "latent_in.weight":
            value = torch.cat([value, value.new_zeros(len(value), own.channels - known.channels)], 1)
        weights[name] = value
    return weights
