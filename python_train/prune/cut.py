"""The smaller network: the same weights without the units of least importance."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..sim.model import DenoiserConfig
from ..vae import HybridVAEConfig
from .groups import Group

Config = TypeVar("Config", DenoiserConfig, HybridVAEConfig)


def smaller(config: Config, heads: int, channels: int) -> Config:
    """The config with so many heads an attention and channels a feed-forward; of a VAE, those of the decoder: its
    encoder decides the latents, which stay."""
    if isinstance(config, DenoiserConfig):
        return replace(config, heads=heads, head_width=config.head, hidden=channels)
    return replace(config, decoder_heads=heads, decoder_hidden=channels)


def cut(
    model: nn.Module, groups: Sequence[Group], scores: Mapping[str, Tensor], target: nn.Module, sizes: Mapping[str, int]
) -> None:
    """Fills `target`, a network of the smaller sizes, from `model`; of each group the `sizes[kind]` units with the
    highest scores stay. ValueError if a group has fewer."""
    state = model.state_dict()
    for group in groups:
        size = sizes[group.kind]
        if not 0 < size <= group.units:
            raise ValueError(f"{group.path} has {group.units} {group.kind}; {size} of them cannot be kept")
        keep = torch.topk(scores[group.path], size).indices.sort().values
        for name in [f"{group.consumer}.weight", *group.producers]:
            state[name] = group.kept(name, state[name], keep)
    target.load_state_dict(state)
