"""Held-out places from which worlds are played on, with what really happened next.

Legend: N starts, F context latents, M context and future latents, T frames a latent, A buttons.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..common.seeding import numpy_rng
from ..data.clips import ClipConfig, ClipSampler, open_split
from ..data.episode import Episode
from ..data.latents import latent_actions
from ..data.policies import openness
from ..sim.validate import CONTEXT
from ..vae.base import FRAMES

OPEN, STILL = 10.0, 0.1  # depth units of a view that is open; map units a frame of somebody who stands
APART = 24  # frames between two starts in the open of one episode


class Starts:
    """Clips that begin at `places`: (episode, first frame, which is even). Play begins after CONTEXT latents."""

    def __init__(self, places: Sequence[tuple[Episode, int]], ahead: int) -> None:
        self.places, self.ahead = list(places), ahead
        actions = [latent_actions(e.buttons)[f // FRAMES : f // FRAMES + CONTEXT + ahead] for e, f in self.places]
        self.actions = torch.from_numpy(np.stack(actions)).float()  # [N,M,T,A]

    def __len__(self) -> int:
        return len(self.places)

    def shortened(self, ahead: int) -> "Starts":
        """The same starts with less of what follows."""
        return Starts(self.places, ahead)

    def context_frames(self) -> Tensor:
        """uint8 `[N,F,T,H,W,3]`."""
        return self._frames(range(CONTEXT))

    def future_frames(self, horizons: Sequence[int]) -> Tensor:
        """What really followed, so many latents after the context: uint8 `[N,len(horizons),T,H,W,3]`."""
        return self._frames([CONTEXT - 1 + horizon for horizon in horizons])

    def _frames(self, latents: Sequence[int]) -> Tensor:
        return torch.from_numpy(
            np.stack(
                [
                    np.stack([episode.frames(first + j * FRAMES, first + (j + 1) * FRAMES) for j in latents])
                    for episode, first in self.places
                ]
            )
        )


def draw_starts(root: Path, split: str, count: int, ahead: int, seed: int) -> Starts:
    """Drawn evenly over the split: views of walls as often as they are recorded."""
    length = (CONTEXT + ahead) * FRAMES + 1
    sampler = ClipSampler(ClipConfig(root=str(root), near_weight=1.0), split, length, seed)
    places = [(sampler.episodes[episode], first + first % 2) for episode, first in sampler.places(0, count)]
    return Starts(places, ahead)


def draw_open_starts(root: Path, split: str, count: int, seed: int) -> Starts:
    """Places where the recorded player stands still (it may turn) and sees far; ValueError if they are too few."""
    found: list[tuple[Episode, int]] = []
    for episode in open_split(root, split).values():
        moved = np.linalg.norm(np.diff(episode.position[:, :2], axis=0), axis=1)
        view = openness(episode.depth(0, len(episode)))
        previous = -APART
        for first in range(0, len(episode) - CONTEXT * FRAMES + 1, FRAMES):
            last = first + CONTEXT * FRAMES - 1
            if first - previous >= APART and view[last] >= OPEN and moved[last - 2 : last].max() < STILL:
                found.append((episode, first))
                previous = first
    if len(found) < count:
        raise ValueError(f"{root}: {split} has {len(found)} open places to stand, asked for {count}; collect more")
    chosen = numpy_rng(seed, count).permutation(len(found))[:count]
    return Starts([found[place] for place in chosen], ahead=0)


def wrong_actions(actions_NMTA: Tensor, seed: int) -> Tensor:
    """The same contexts, but each start goes on with the actions of another one, drawn at random among those whose
    first movement differs from its own. ValueError if a start has no such other."""
    rng = numpy_rng(seed)
    first = actions_NMTA[:, CONTEXT]
    wrong = actions_NMTA.clone()
    for start in range(len(first)):
        others = np.flatnonzero((first != first[start]).flatten(1).any(1).numpy())
        if not len(others):
            raise ValueError(f"all {len(first)} starts begin with the same movement; take more starts")
        wrong[start, CONTEXT:] = actions_NMTA[int(rng.choice(others)), CONTEXT:]
    return wrong
