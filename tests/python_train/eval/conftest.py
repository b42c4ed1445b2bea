"""A player that loses nothing: its latents are the frames. What it plays is up to each test."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

Play = Callable[[Tensor, Tensor, str, int], Tensor]


class LosslessPlayer:
    """Latents `[N,H,W,2*3]` in [0, 255]."""

    def __init__(self, play: Play) -> None:
        self._play = play

    def encode(self, frames_u8: Tensor) -> Tensor:
        return frames_u8.permute(0, 2, 3, 1, 4).flatten(3).float()

    def decode(self, latents_NhwC: Tensor) -> Tensor:
        return latents_NhwC.unflatten(3, (2, 3)).permute(0, 3, 1, 2, 4).to(torch.uint8)

    def play(self, context_NFhwC: Tensor, actions_NMTA: Tensor, schedule: str, seed: int) -> Tensor:
        return self._play(context_NFhwC, actions_NMTA, schedule, seed)


@pytest.fixture
def lossless() -> Callable[[Play], LosslessPlayer]:
    return LosslessPlayer
