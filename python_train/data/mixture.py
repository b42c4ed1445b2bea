"""Batches of clips from two sets: what a game shows to somebody who looks, and to somebody who does not (policy "blind").

Mixed by share, not by weight: a set that is small, or drawn otherwise, gets its part of every batch.
"""

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor, cat

from ..config import register
from .clips import ClipConfig
from .latents import LatentSampler


@register
@dataclass(frozen=True)
class SecondSet:
    """`share` of the clips come from the folder `latents`, drawn as `clips` says: evenly, if nothing else is said."""

    latents: str = ""
    share: float = 0.0
    clips: ClipConfig = field(default_factory=lambda: ClipConfig(near_weight=1.0))


class Mixture:
    """Draws from `first`, and the given share from `second`; (seed, step) decide."""

    def __init__(self, first: LatentSampler, second: LatentSampler | None, share: float) -> None:
        self.first, self.second = first, second
        self.share = share if second else 0.0

    def draw(self, step: int, size: int, part: slice) -> tuple[Tensor, Tensor]:
        """The clips `part` of a batch of `size`: latents float32 `[B,F,h,w,C]` and actions float32 `[B,F,T,A]`. The
        second set's come last; their number is the share of as many batches as there were, where it is not whole."""
        others = int((step + 1) * size * self.share) - int(step * size * self.share)
        rows = np.arange(size)[part]
        own = _clips(self.first, step, size - others, rows[rows < size - others])
        if not (self.second and others):
            return own
        more = _clips(self.second, step, others, rows[rows >= size - others] - (size - others))
        return cat([own[0], more[0]]), cat([own[1], more[1]])


def _clips(sampler: LatentSampler, step: int, size: int, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    return sampler.data.clips(sampler.places(step, size)[rows], sampler.length)
